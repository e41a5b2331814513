"""Stand-ins of the voice services, on loopback: the far ends of the providers' wires, written from the facts."""
