"""What each choice of DQA buys, measured: every network, criterion, ratio and number of bits."""
