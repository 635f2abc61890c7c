//! Clusters of real processes under faults, and the checker that judges what their clients saw.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, its helpers too")]

mod checker;
