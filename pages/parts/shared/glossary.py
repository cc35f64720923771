"""Every symbol and term of the pages: what it is called in plain words, and two sentences."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """One entry. `key` stands for it in addresses, `name` is plain.

    `marks` are how it is written on pages, the usual form first; the symbols in `also` are
    explained here too, but mean something else in other places.
    """

    key: str
    marks: tuple[str, ...]
    name: str
    text: str
    also: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The mark and the plain name, where these are two."""
        first = self.marks[0]
        return self.name if first.casefold() == self.name.casefold() else f"{first}, {self.name}"


GLOSSARY: tuple[Term, ...] = (
    Term(
        "activation",
        ("activation", "activations"),
        "activation",
        "A number that one layer of a network hands to the next. A picture of 128×128 pixels "
        "becomes millions of them, and here they are what is stored with few bits.",
        ("a",),
    ),
    Term(
        "weight",
        ("weights",),
        "weight",
        "A number that a network has learned and keeps for every picture. Weights are counted "
        "apart from activations, which are made anew for each picture.",
    ),
    Term(
        "channel",
        ("channel", "channels"),
        "channel",
        "One of the planes that a layer's activations consist of, as red, green and blue are those "
        "of a picture. Some hold large values and some small ones, so each has a scale of its own.",
        ("c",),
    ),
    Term(
        "layer",
        ("layer", "layers"),
        "layer",
        "One step of a network: a convolution or a linear map of all its inputs. What goes into it "
        "is quantized as one tensor.",
    ),
    Term(
        "block",
        ("block", "blocks"),
        "residual block",
        "Two layers with a way around them, so that a block adds a correction to what it is given. "
        "A network of this kind still works when some of its blocks are skipped.",
    ),
    Term(
        "residual",
        ("residual stream",),
        "residual stream",
        "What runs past the blocks and is added to in each of them. Its values are negative as "
        "often as positive, which leaves little to save by entropy coding.",
    ),
    Term(
        "relu",
        ("ReLU",),
        "rectified linear unit",
        "It replaces every negative value by zero. After it half of the signed codes are never "
        "used, and many values are zero.",
    ),
    Term(
        "quantization",
        ("quantization", "quantized", "quantizer"),
        "quantization",
        "Values are replaced by the nearest of a few levels, so that a small whole number says "
        "which. What is lost is the distance to the level.",
    ),
    Term(
        "code",
        ("codes", "base codes"),
        "integer code",
        "The whole number that is stored in place of a value. Times the scale it gives the value "
        "back, but for the rounding.",
        ("q",),
    ),
    Term(
        "level",
        ("levels",),
        "quantization level",
        "One of the values that a code can stand for. With n bits there are 2 to the power of n of "
        "them.",
    ),
    Term(
        "scale",
        ("scales", "one scale", "step size", "Δ", "Δₙ", "Δ₍ₙ₊ₘ₎"),
        "scale, or step size",
        "The distance between two neighbouring levels. It is stored beside the codes, because "
        "without it they mean nothing.",
    ),
    Term(
        "clip",
        ("clip", "clipped", "outermost levels"),
        "clipping",
        "Values beyond the outermost level become that level. A smaller range clips more values "
        "and has finer steps for all others.",
        ("Qn", "Qp"),
    ),
    Term(
        "outlier",
        ("outlier", "outliers"),
        "outlier",
        "A value far larger than all others. Where the largest value sets the scale, one of them "
        "takes the fine levels from all the rest.",
    ),
    Term(
        "calibration",
        ("calibration", "calibrated"),
        "calibration",
        "Some pictures pass through the network so that scales can be set before it is used. Here "
        "they are crops of sample photographs unless you choose others.",
    ),
    Term(
        "n",
        ("n", "Bits n"),
        "bits of a code",
        "How many bits each stored code has. One bit more doubles the levels and takes that many "
        "more bytes.",
    ),
    Term(
        "m",
        ("m", "Extra bits m"),
        "extra bits",
        "How many bits more than n the important channels are quantized with. They are shifted out "
        "of the code and stored apart.",
    ),
    Term(
        "r",
        ("r", "Important ratio r"),
        "important ratio",
        "The share of the channels of each layer that get the m extra bits. At 0 the method is "
        "direct quantization, at 1 all channels have n+m bits.",
    ),
    Term(
        "wide-code",
        ("q′",),
        "wide code",
        "The code of n+m bits that an important channel is quantized to. Its upper n bits are "
        "stored as a code, its lower m bits as a shifting error.",
    ),
    Term(
        "refinement",
        ("refinement", "shifting error", "shifting errors"),
        "shifting error, or refinement",
        "The m low bits that are shifted out of a wide code. They are Huffman-coded, and with them "
        "the wide code is whole again.",
    ),
    Term(
        "shift",
        ("shifted out", "shifted right"),
        "shift",
        "Moving the bits of a whole number to the right, so that the lowest fall off. Shifting by "
        "m divides by 2 to the power of m and rounds down.",
    ),
    Term(
        "huffman",
        ("Huffman", "Huffman-coded", "Huffman code", "code words"),
        "Huffman code",
        "Frequent symbols get short words of bits and rare ones long words. No symbol takes less "
        "than one bit, and where all are equally frequent nothing is saved.",
    ),
    Term(
        "entropy",
        ("entropy", "entropy coding", "entropy-coded"),
        "entropy",
        "The fewest bits per symbol that any code can reach on average, if symbols do not depend "
        "on each other. It is largest where all symbols are equally frequent.",
    ),
    Term(
        "ans",
        ("ANS",),
        "asymmetric numeral systems",
        "A coder that comes as near to the entropy as one likes, below one bit per symbol too. All "
        "symbols together become one large number.",
    ),
    Term(
        "tables",
        ("tables", "headers", "code tables"),
        "tables and headers",
        "Bytes that say how the others are read: code tables, shapes, lengths. They are counted, "
        "because decoding cannot start without them.",
    ),
    Term(
        "bits-per-activation",
        ("bits per activation",),
        "bits per activation",
        "All bytes that are stored, times eight, divided by the number of activations. Codes, "
        "refinement, tables and scales are in it; FP32 has 32.",
    ),
    Term(
        "codec",
        ("Deflate", "Zstandard", "LZMA", "zero runs"),
        "general codecs",
        "Ways to pack bytes that are made for files of any kind. Unlike a Huffman code they also "
        "see what stands beside what.",
    ),
    Term(
        "kib",
        ("KiB", "MiB"),
        "kibibyte, mebibyte",
        "1 KiB is 1,024 bytes and 1 MiB is 1,024 KiB. Sizes are lengths of the bytes that would be "
        "stored.",
        ("MB",),
    ),
    Term(
        "fp32",
        ("FP32", "full precision"),
        "full precision",
        "Numbers in floating point with 32 bits each, as the network was trained. All results are "
        "compared with what it gives.",
    ),
    Term(
        "w4a4",
        ("W4A4", "W8A8", "W2A2"),
        "bits of weights and activations",
        "W4A4 says that weights and activations have 4 bits each. Layers that are left in full "
        "precision are named beside it.",
        ("W", "A"),
    ),
    Term(
        "int8",
        ("integers", "INT8"),
        "whole-number arithmetic",
        "The network multiplies and adds whole numbers instead of numbers in floating point. With "
        "codes of 8 bits or fewer the sums are exact.",
    ),
    Term(
        "psnr",
        ("PSNR",),
        "peak signal-to-noise ratio",
        "How near a picture is to the original, in dB; more is nearer. 6 dB more halve the error, "
        "and the convention beside the number says which pixels count.",
    ),
    Term(
        "db",
        ("dB",),
        "decibel",
        "Ten times the decimal logarithm of a ratio of powers. A tenth of a dB is seldom seen, one "
        "dB often.",
    ),
    Term(
        "ssim",
        ("SSIM",),
        "structural similarity",
        "How alike two pictures are in small windows, at most 1. It weighs patterns more than "
        "brightness.",
    ),
    Term(
        "lpips",
        ("LPIPS",),
        "perceptual distance",
        "How far apart two pictures are in the features of a network that was trained on "
        "photographs; less is nearer. It follows what people see more closely than PSNR.",
    ),
    Term(
        "y",
        ("Y channel", "BT.601"),
        "brightness channel",
        "The brightness of a pixel, mixed from red, green and blue as the standard BT.601 says. "
        "Papers on super-resolution measure PSNR on it.",
        ("Y",),
    ),
    Term(
        "bicubic",
        ("bicubic", "Bicubic"),
        "bicubic enlargement",
        "Enlarging by a smooth curve through the pixels, without a network. It is the floor that a "
        "network has to be above.",
    ),
    Term(
        "mse",
        ("MSE", "squared error", "Mean squared error"),
        "mean squared error",
        "The mean of the squares of all errors. One bit more makes it about four times smaller.",
    ),
    Term(
        "sqnr",
        ("SQNR",),
        "signal-to-quantization-noise ratio",
        "The power of the values over that of their rounding errors, in dB. It says of a layer "
        "what PSNR says of a picture.",
    ),
    Term(
        "iou",
        ("IoU",),
        "intersection over union",
        "Of a class, the pixels that two maps agree on, over those that either has. 1 says that "
        "they are equal.",
    ),
    Term(
        "top-1",
        ("Top-1", "top-1"),
        "top-1 accuracy",
        "The share of the pictures whose first answer is right. Changed answers are counted apart, "
        "as a wrong answer can become right by chance.",
    ),
    Term(
        "mac",
        ("MAC", "MACs", "multiply-accumulates"),
        "multiply-accumulate",
        "One multiplication and one addition, the unit in which a network's work is counted. The "
        "counting rule says which layers are in it.",
    ),
    Term(
        "dqa",
        ("DQA", "activation DQA"),
        "deep quantization of activations",
        "The method of Hu, Henderson and Cano: important channels keep m extra bits, which are "
        "shifted out and Huffman-coded. QuantSR's architecture has the same three letters; here "
        "that one is always called depth-dynamic.",
    ),
    Term(
        "depth-dynamic",
        ("depth-dynamic", "super-network", "Super-network"),
        "depth-dynamic architecture",
        "QuantSR trains one network at several depths, so that blocks can be skipped afterwards. "
        "Its paper calls it a Depth-dynamic Quantized Architecture, in short also DQA, which has "
        "nothing to do with activation DQA.",
    ),
    Term(
        "shortcut",
        ("shortcut s", "shortcut", "shortcuts"),
        "learned shortcut",
        "What a block multiplies its input by before it adds its own part. Blocks with a large one "
        "are skipped first, because their input passes well without them.",
        ("s", "y"),
    ),
    Term(
        "quantsr",
        ("QuantSR",),
        "QuantSR",
        "Qin et al., NeurIPS 2023: networks for super-resolution that are trained with few bits; C "
        "has convolutions, T is a transformer. It consists of RLQ and of the depth-dynamic "
        "architecture.",
        ("C", "T"),
    ),
    Term(
        "rlq",
        ("RLQ", "RLQ on demand"),
        "redistribution-driven learnable quantizer",
        "The quantizer of QuantSR, which learns its step α and a shift τ per channel. Its gradient "
        "is larger near a threshold, by the function φ.",
    ),
    Term(
        "alpha",
        ("α",),
        "learned step",
        "The distance between two levels, learned together with the weights. It begins where LSQ "
        "begins.",
    ),
    Term(
        "tau",
        ("τ",),
        "learned shift",
        "A number per channel that is added before rounding and never taken off again. It moves "
        "the values to where the levels are.",
    ),
    Term(
        "phi",
        ("φ", "φ′", "φ_k"),
        "soft rounding",
        "A curve that lies on the same side of every threshold as its input, so that rounding it "
        "changes nothing. Its slope takes the place of rounding's own in the backward pass.",
        ("f", "x"),
    ),
    Term(
        "k",
        ("softness k", "Softness k"),
        "softness of φ",
        "How much the slope of φ differs from 1: not at all at k = 0, as QuantSR's code has it at "
        "k = 1. In DQA's formulas k is the shifting error, and is said to be that.",
        ("k",),
    ),
    Term(
        "gradient",
        ("gradient", "gradients"),
        "gradient",
        "How much the loss changes when a value changes a little. Training follows it, and "
        "criteria read from it which channels matter.",
        ("g",),
    ),
    Term(
        "ste",
        ("STE", "straight-through estimator"),
        "straight-through estimator",
        "The slope of rounding is zero almost everywhere, so nothing could be learned through it. "
        "The estimator takes 1 in its place.",
    ),
    Term(
        "lsq",
        ("LSQ",),
        "learned step size quantization",
        "Esser et al., ICLR 2020: the step is learned like a weight. It begins at twice the mean "
        "magnitude over the root of the largest code.",
        ("v",),
    ),
    Term(
        "criterion",
        ("criterion", "criteria"),
        "criterion of importance",
        "What makes a channel important, as a formula. Most take one pass, the paper's search "
        "takes one pass per channel.",
        ("Σ",),
    ),
    Term(
        "fisher",
        ("Fisher", "fisher"),
        "Fisher criterion",
        "The sum of the squared gradients of a channel. A channel with a large sum changes the "
        "result most when it is disturbed.",
    ),
    Term(
        "spearman",
        ("Spearman's rank correlation", "Spearman"),
        "rank correlation",
        "How alike two orders are: 1 where they are equal, 0 where they have nothing in common. "
        "−1 says that one is the other backwards.",
    ),
    Term(
        "noisyquant",
        ("NoisyQuant",),
        "NoisyQuant",
        "A fixed noise is added before rounding and taken off after it (Liu et al., CVPR 2023). It "
        "helps values that lie near a threshold.",
    ),
    Term(
        "power-of-two",
        ("Power-of-two", "power-of-two"),
        "power-of-two levels",
        "Levels at powers of two, close together near zero and far apart at the ends. A "
        "multiplication by one of them is a shift.",
    ),
    Term(
        "rivals",
        ("PACT", "PAMS", "DDTB", "DoReFa"),
        "other learned quantizers",
        "Methods that also learn few bits: DoReFa, PACT, PAMS and DDTB learn or fix the range in "
        "ways of their own. They are trained here under the same conditions as RLQ.",
    ),
    Term(
        "networks",
        ("EDSR", "PAN", "SwinIR", "U-Net", "MobileNetV2", "ResNet"),
        "architectures",
        "Families of networks, called as in their papers. EDSR, PAN and SwinIR enlarge pictures, "
        "the U-Net names the class of each pixel, ResNet and MobileNetV2 that of the picture.",
        ("CNN", "SPAN", "CARN", "SRCNN", "IMDN", "RCAN"),
    ),
    Term(
        "set5",
        ("Set5", "Set14", "CamVid", "CIFAR-10"),
        "data sets",
        "Pictures that everybody measures on. Set5 and Set14 are photographs with their originals, "
        "CamVid has labelled streets and CIFAR-10 labelled small pictures.",
        ("DIV2K", "CIFAR"),
    ),
    Term(
        "average",
        ("moving average",),
        "moving average of the weights",
        "The mean of the weights over the last steps of a training, late ones weighing more. It is "
        "less noisy than the weights of any one step.",
        ("EMA",),
    ),
    Term(
        "onnx",
        ("ONNX", "ONNX Runtime"),
        "open format for networks",
        "A file format that many programs read, and a program that runs such files. Here it "
        "computes the same whole numbers as the integer runtime.",
    ),
    Term(
        "cpu",
        ("CPU",),
        "processor",
        "What all results here are computed on, one core at a time unless it says otherwise. "
        "Times are those of the machine that this page is served from.",
        ("GPU", "FPGA"),
    ),
    Term(
        "truth",
        ("the truth", "truth"),
        "truth, or original",
        "The picture in its full size, which a reduced copy of it is compared with after "
        "enlarging. Without it neither PSNR nor SSIM can be measured.",
    ),
    Term(
        "chance",
        ("confidence interval", "two-sided", "probability under chance"),
        "chance",
        "How likely such a result would be if nothing but chance were at work. A small number "
        "says that chance is a poor explanation.",
        ("p",),
    ),
)
