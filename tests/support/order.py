"""Which files of tests begin first, where two run at a time."""

LONG = (
    "tests/app/test_whole_loop.py",
    "tests/pretrain/test_pretrain.py",
    "tests/pretrain/test_pretrain_command.py",
    "tests/store/test_store_campaign.py",
    "tests/model/test_fused.py",
    "tests/hostile/test_hostile.py",
)
"""Begun last, each of these would leave the other processor with nothing to do."""
