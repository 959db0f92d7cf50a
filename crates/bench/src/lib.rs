//! Every figure of the README, as a subcommand. Never shipped.
