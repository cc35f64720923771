"""Integer codes as bytes: fixed width and canonical Huffman."""
