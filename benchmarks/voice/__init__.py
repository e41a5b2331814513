"""How many channels one process can speak in, and at what price: Mynah beside discord.py's own ways.

The far end is the playground in a process of its own, the subject a real discord.py client in another; between them
are real sockets, TLS and both layers of encryption. Every module that prints a figure says what it means.
"""
