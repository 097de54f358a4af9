"""The danger strip, the board of all dangers and the forecast: dangers, victims and remedies."""
