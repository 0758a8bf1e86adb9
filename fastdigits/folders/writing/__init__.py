"""How an image folder is written: pictures, their split, the manifest; whole or in shards. Only this room uses it."""
