"""Integer codes as bytes: fixed width, canonical Huffman, zero runs and ANS."""
