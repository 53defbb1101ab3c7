"""Machines' doors: REST today; EWP, OEAPI and LTI beside it later."""
