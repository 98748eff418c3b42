"""What every family of decoders shares: arrays, settings, errors, files, readouts."""
