"""The flow is trained: what a step draws, the loop (no files, no UI), and the stage that saves checkpoints."""
