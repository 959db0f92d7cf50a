//! What a store must do, and the test bodies that every back end must pass.
