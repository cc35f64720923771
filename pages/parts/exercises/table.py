"""The exercises, the short ones first; `tests/pages/test_exercises.py` computes every answer."""

from pages.parts.exercises.exercise import Exercise

EDSR = {"network": "builtin:edsr-x2"}
ASTRONAUT = {"picture": "Astronaut"} | EDSR
CAT = {"picture": "Cat"} | EDSR

BY_HAND = """import numpy as np
from quantlib.coding import huffman

a = np.random.default_rng(0).normal(size=1000)
n, m = 3, 3
fine = np.abs(a).max() / 2 ** (n + m - 1)
q = np.clip(np.round(a / fine), -(2 ** (n + m - 1)), 2 ** (n + m - 1) - 1).astype(int)
code, lost = q >> m, q & (2**m - 1)
stored = huffman.encode(lost.astype(np.uint8))
back = fine * 2**m * (code + huffman.decode(stored) / 2**m)
print(np.array_equal(back, fine * q), len(stored))
"""

EXERCISES: tuple[Exercise, ...] = (
    Exercise(
        "phi-nothing",
        "Make φ do nothing",
        5,
        "Find the softness k at which φ changes no gradient. Then find a k at which it changes a "
        "rounded value.",
        "rlq",
        {"k": "2"} | CAT,
        "Watch the right one of the two charts at the top while you move k.",
        "At k = 0 the slope of φ is 1 everywhere: that is the straight-through estimator. There is "
        "no k of the second kind: φ lies on the same side of every threshold as its input, so that "
        "rounding it always gives the same.",
    ),
    Exercise(
        "one-bit",
        "What one bit buys",
        5,
        "Direct quantization of the cat with 4 bits, and with 5: by how many dB does PSNR rise?",
        "workbench",
        {"method": "Direct", "bits": "4"} | CAT,
        "Move Bits n by one step and read the sentence above the pictures twice.",
        "PSNR rises from 33.46 to 33.96 dB, by 0.50 dB. The steps are half as wide, but what the "
        "network itself misses of the original stays.",
    ),
    Exercise(
        "outlier",
        "How far out is too far?",
        10,
        "How many times the largest value has one outlier to be, until all others have to share "
        "3 of the 16 levels or fewer?",
        "tour",
        {"stop": "3", "shown": "true", "outlier": "2"} | ASTRONAUT,
        "The number of levels that the others use stands in the box; move the slider till it is 3.",
        "From 4 times on. Without an outlier the others use 8 levels, because after a ReLU half of "
        "the codes stand for negative values that never come.",
    ),
    Exercise(
        "enough-bits",
        "Enough bits",
        10,
        "With direct quantization of the cat: how many bits are enough for less than 0.1 dB below "
        "FP32?",
        "workbench",
        {"method": "Direct", "bits": "5"} | CAT,
        "The sentence above the pictures has both numbers.",
        "6 bits are enough: they lose 0.04 dB. With 5 bits it is 0.18 dB.",
    ),
    Exercise(
        "no-saving",
        "A layer where Huffman saves nothing",
        15,
        "With 3 bits and 3 extra bits, find a layer whose shifting errors take as many bits coded "
        "as uncoded. Why is that so?",
        "importance",
        {"bits": "3", "m": "3"} | ASTRONAUT,
        "Compare the input of a convolution that comes after a ReLU with one that does not. The "
        "mean code length stands below the table of the code.",
        "The input of block 2, first convolution, for example: its code words have 3.00 bits, as "
        "many as uncoded. It is the residual stream, with values of both signs; no low bits of "
        "them are more frequent than others, so no word can be shorter.",
    ),
    Exercise(
        "criterion",
        "Better than chance?",
        15,
        "3 bits, 3 extra bits, a fifth of the channels: does the Fisher criterion choose better "
        "channels than a random draw, for this picture?",
        "workbench",
        {"method": "DQA", "bits": "3", "m": "3", "r": "0.2", "criterion": "Fisher"} | ASTRONAUT,
        "Change the criterion and nothing else, and write both PSNR down.",
        "Yes: Fisher reaches 31.34 dB and the random draw 31.09 dB. The difference is small, and "
        "one picture is no proof; the benches below on Importance have more.",
    ),
    Exercise(
        "tables",
        "What nobody counts",
        15,
        "3-bit DQA with m = 3 and r = 0.4: of its bits per activation, how many are code tables, "
        "headers and scales? And with a picture of half the side?",
        "tour",
        {"stop": "7", "shown": "true"} | ASTRONAUT,
        "Each channel has its table and its scale, whatever the size of the picture.",
        "0.005 bits for this picture, which is little. For a quarter of it, with half the side, "
        "it is 0.018 bits: tables and scales stay as they are while the values become fewer.",
    ),
    Exercise(
        "blocks",
        "Fewer blocks, more quality?",
        20,
        "Skip four of the 16 blocks of the W4A4 network, and then eight. Which loses more, and "
        "why?",
        "depth",
        {"super_network": "builtin:quantsr-c-x2-w4a4", "blocks": "16", "picture": "Astronaut"},
        "Look at the curve on the right, and at the depths named below the slider.",
        "All 16 blocks reach 35.37 dB, 12 blocks 34.01 dB and 8 blocks 35.07 dB. Fewer are better "
        "here, because 8 is a depth that the network was trained at and 12 is not.",
    ),
    Exercise(
        "weights",
        "Two bits, four bits, eight bits",
        20,
        "RLQ with 2, 4 and 8 bits for weights and activations: how many KiB do the weights take, "
        "and what does each step down cost in dB?",
        "workbench",
        {"method": "RLQ", "rlq_bits": "8"} | ASTRONAUT,
        "The bytes of the weights stand below the bars on the right.",
        "2 bits: 269 KiB and 34.97 dB. 4 bits: 341 KiB and 35.37 dB. 8 bits: 485 KiB and 35.51 dB. "
        "The bytes are not proportional to the bits, because the first and the last layers stay in "
        "FP32.",
    ),
    Exercise(
        "below-one-bit",
        "Below one bit",
        30,
        "Find a channel whose shifting errors have an entropy far below the mean length of their "
        "Huffman code. What would a coder need to come nearer?",
        "importance",
        {"bits": "3", "m": "3"} | ASTRONAUT,
        "A symbol never takes less than one bit. Look for a channel that is nearly all zeros.",
        "At the input of block 1, second convolution, channel 13 is nearly all zeros: its "
        "entropy is 0.00 bits and a code word has 1.00. A coder that joins symbols comes nearer: "
        "ANS, or runs of zeros.",
    ),
    Exercise(
        "equal-bytes",
        "DQA against one bit more for all",
        45,
        "Direct quantization with 4 bits against DQA with 3 bits and m = 1: find an r at which "
        "DQA takes no more bytes for this picture. Which of the two keeps more?",
        "memory",
        {"bits": "3", "m": "1", "r": "0.4"} | ASTRONAUT,
        "Bits per activation are 3 + r times the length of a code word, and a little for tables. "
        "The sentence above the chart compares with plain uniform quantization of as many bytes.",
        "At r = 0.8 DQA keeps 33.21 dB with 3.82 bits per activation; 4-bit direct keeps 32.79 "
        "dB with 4.00 bits. One extra bit for most channels is well spent. With m = 3 and r = "
        "0.4 it is 32.78 dB for 3.91 bits.",
    ),
    Exercise(
        "by-hand",
        "DQA by hand",
        60,
        "Write the method for one channel in Python with NumPy: quantize to n+m bits, shift, code "
        "what falls off, and read it back. Is anything lost?",
        "importance",
        {"bits": "3", "m": "3"} | ASTRONAUT,
        "Shifting right is `>>` and keeps the sign, the low bits are `& (2**m - 1)`, and the "
        "library's Huffman coder takes bytes.",
        "Nothing is lost beyond the rounding to n+m bits: the values read back are equal to the "
        "last bit.",
        BY_HAND,
    ),
)
