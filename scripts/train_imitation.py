"""Train the phone-posterior net of the embedded engine, from espeak-ng's speech and nothing else.

    python scripts/train_imitation.py [--minutes 90] [--rounds 14] [--out bot/providers/local/weights.npz]

Writes the averages of the source voices (`reference-*.npz`) beside the weights; `--minutes 0` writes only those.

Needs torch beside the bot's own requirements (`pip install torch`, the CPU build is enough); the bot itself never does.
Sentences are drawn from `imitation_words.txt` and from made-up syllables, read by every voice variant espeak-ng has at
many speeds and pitches, and bent while training: longer and shorter throats, rooms, noise, dull and bright microphones.
Seeded: the same machine makes the same weights.
"""

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import espeakng_loader
import numpy as np
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bot.providers.local.arrays import Floats, Integers
from bot.providers.local.espeak import Espeak
from bot.providers.local.phones import PHONES, label_frames
from bot.providers.local.posterior import BANDS, DILATIONS, HOP, RATE, WEIGHTS, mel_weights, normalise, power_frames
from bot.providers.local.reference import Reference, shipped
from bot.providers.local.resample import resample
from bot.providers.local.source import SOURCE_VOICES

WORDS = Path(__file__).with_name("imitation_words.txt")
HIDDEN = 160
TAPS = (5, 5, 5, 1, 1)
BATCH = 8
WARPS = [mel_weights(float(warp)).T for warp in np.arange(0.8, 1.26, 0.05)]
UNLIKE_PEOPLE = ("whisper", "croak", "robo", "unirobot", "demonic", "mr", "anikarobot", "fast", "half", "alien")
SYLLABLE = (
    "b bl br d dr f fl fr g gl gr h j k kl kr kw l m n p pl pr r s sh sk sl sm sn sp st str sw t th tr v w y z ch thr",
    "a e i o u ee oo ai oa ow oi ar or er aw air ear",
    "b d f g k l m n p s t v z sh ch ng th nd nt st mp lk rm ks dge zh",
)


@dataclass
class Reading:
    """One text as a voice read it."""

    sound: Floats
    power: Floats
    labels: Integers


def write_sentence(words: list[str], dice: np.random.Generator) -> str:
    """Draw thirteen words; about one in five is made of syllables that no word list has."""
    drawn = []
    for _ in range(13):
        if dice.random() < 0.2:
            drawn.append("".join(str(dice.choice(part)) for part in map(str.split, SYLLABLE)))
        else:
            drawn.append(str(dice.choice(words)))
    return f"{' '.join(drawn[:7])}. {' '.join(drawn[7:])}."


def list_variants() -> list[str]:
    """List espeak-ng's voice variants that sound like people."""
    folder = Path(espeakng_loader.get_data_path()) / "voices" / "!v"
    names = sorted(path.name for path in folder.iterdir())
    return [name for name in names if not name.lower().startswith(UNLIKE_PEOPLE)]


def read_aloud(minutes: float, dice: np.random.Generator) -> list[Reading]:
    """Have espeak-ng read until there are so many minutes."""
    espeak, variants, words = Espeak(), list_variants(), WORDS.read_text().split()
    readings: list[Reading] = []
    seconds = 0.0
    while seconds < minutes * 60:
        accent = "en-us" if dice.random() < 0.8 else "en-gb-x-rp"
        voice = f"{accent}+{variants[len(readings) % len(variants)]}"
        speed, pitch, spread = (int(dice.integers(*span)) for span in ((120, 215), (10, 95), (20, 95)))
        said = espeak.say(write_sentence(words, dice), voice, speed=speed, pitch=pitch, spread=spread)
        sound = resample(said.samples, said.rate, RATE)
        power = power_frames(sound)
        labels = label_frames(said.phonemes, said.rate, frames=len(power), frame_rate=RATE / HOP)
        readings.append(Reading(sound, power, labels))
        seconds += len(sound) / RATE
    return readings


def put_in_room(sound: Floats, dice: np.random.Generator) -> Floats:
    """Add the decaying noise of a room."""
    length = int(RATE * dice.uniform(0.05, 0.35))
    time_ = np.arange(length) / length
    tail = dice.standard_normal(length) * np.exp(-6.9 * time_ / dice.uniform(0.6, 1.5))
    tail *= dice.uniform(0.15, 0.6) / np.sqrt((tail**2).sum())
    tail[0] += 1
    size = len(sound) + length
    wet = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(tail, size), size)
    return np.asarray(wet[: len(sound)], dtype=np.float32)


def bend(reading: Reading, dice: np.random.Generator) -> Floats:
    """Make the net's input of a reading as another throat, room and microphone would have it."""
    power = power_frames(put_in_room(reading.sound, dice)) if dice.random() < 0.35 else reading.power
    bands = power @ WARPS[dice.integers(len(WARPS))]
    floor = np.log(np.percentile(bands.mean(axis=1), 90) + 1e-9) - dice.uniform(8, 45) / 10 * np.log(10)
    shape = np.exp(np.cumsum(dice.standard_normal(BANDS) * 0.25))
    bands = bands + np.exp(floor) * shape / shape.mean() * dice.gamma(4, 0.25, bands.shape)
    log_mel = np.log(bands + 1e-9)
    log_mel += np.interp(np.arange(BANDS), np.linspace(0, BANDS - 1, 6), dice.standard_normal(6) * 0.5)
    if dice.random() < 0.25:
        padded = np.pad(log_mel, ((0, 0), (2, 0)), mode="edge")
        log_mel = (padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]) / 3
    return normalise(log_mel.astype(np.float32))


def build_net() -> nn.Sequential:
    """Build the net that `PosteriorNet` runs with numpy."""
    sizes = (BANDS, *[HIDDEN] * 4, len(PHONES))
    layers: list[nn.Module] = []
    for place, (taps, dilation) in enumerate(zip(TAPS, DILATIONS, strict=True)):
        reach = dilation * (taps // 2)
        layers.append(nn.Conv1d(sizes[place], sizes[place + 1], taps, padding=reach, dilation=dilation))
        if place < len(TAPS) - 1:
            layers += [nn.ReLU(), nn.BatchNorm1d(HIDDEN), nn.Dropout(0.1)]
    return nn.Sequential(*layers)


def make_batch(readings: list[Reading], dice: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Bend and pad some readings; frames beyond the end are labelled -1."""
    bent = [bend(reading, dice) for reading in readings]
    longest = max(len(frames) for frames in bent)
    inputs = np.zeros((len(bent), BANDS, longest), np.float32)
    labels = np.full((len(bent), longest), -1)
    for row, (frames, reading) in enumerate(zip(bent, readings, strict=True)):
        inputs[row, :, : len(frames)] = frames.T
        labels[row, : len(reading.labels)] = reading.labels
    return torch.from_numpy(inputs), torch.from_numpy(labels)


def train(readings: list[Reading], rounds: int, dice: np.random.Generator) -> nn.Sequential:
    """Fit the net and say how it goes."""
    net = build_net()
    print(sum(weight.numel() for weight in net.parameters()), "parameters")
    optimiser = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=1e-3)
    steps = len(readings) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=rounds * steps)
    began = time.monotonic()
    for turn in range(rounds):
        order = dice.permutation(len(readings))
        right = total = 0
        for step in range(steps):
            inputs, labels = make_batch([readings[i] for i in order[step * BATCH : (step + 1) * BATCH]], dice)
            scores = net(inputs)
            loss = nn.functional.cross_entropy(scores, labels, ignore_index=-1, label_smoothing=0.05)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            known = labels >= 0
            right += int((scores.argmax(dim=1)[known] == labels[known]).sum())
            total += int(known.sum())
        print(f"round {turn + 1}: {right / total:.3f} of frames right, {time.monotonic() - began:.0f} s", flush=True)
    return net.eval()


def export(net: nn.Sequential, path: Path) -> None:
    """Write the weights as half floats, batch normalisation folded to a scale and a shift."""
    kept: dict[str, np.ndarray] = {}
    convolutions = [layer for layer in net if isinstance(layer, nn.Conv1d)]
    norms: list[nn.BatchNorm1d | None] = [layer for layer in net if isinstance(layer, nn.BatchNorm1d)]
    for place, (layer, norm) in enumerate(zip(convolutions, [*norms, None], strict=True)):
        kept[f"weights{place}"] = layer.weight.detach().numpy().transpose(2, 1, 0)
        kept[f"bias{place}"] = layer.bias.detach().numpy() if layer.bias is not None else np.zeros(layer.out_channels)
        scale, shift = np.ones(layer.out_channels), np.zeros(layer.out_channels)
        if norm is not None and norm.running_mean is not None and norm.running_var is not None:
            scale = (norm.weight / torch.sqrt(norm.running_var + norm.eps)).detach().numpy()
            shift = norm.bias.detach().numpy() - norm.running_mean.numpy() * scale
        kept[f"scale{place}"], kept[f"shift{place}"] = scale, shift
    np.savez_compressed(path, **{name: value.astype(np.float16) for name, value in kept.items()})
    print(path, path.stat().st_size, "bytes")


def main() -> None:
    """Read, train, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=90)
    parser.add_argument("--rounds", type=int, default=14)
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    asked = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(2)
    dice = np.random.default_rng(0)
    for voice in SOURCE_VOICES.values():
        Reference.read(Espeak(), voice).save(asked.out.with_name(shipped(voice).name))
    if not asked.minutes:
        return
    readings = read_aloud(asked.minutes, dice)
    print(len(readings), "readings")
    export(train(readings, asked.rounds, dice), asked.out)


if __name__ == "__main__":
    main()
