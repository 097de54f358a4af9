"""The danger strip, the board of all dangers and the forecast: what is about to run out, who dies, what helps."""
