"""Learning from decisions: the instant head, fine-tuning, the gate, what to label next."""
