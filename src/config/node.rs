//! The keys above the first table: what the node as a whole needs.

use std::path::PathBuf;

use crate::config::section::section;

section! {
    /// Keys that stand above the first table of the file.
    NodeConfig in "" {
        /// The first drive: everything the node keeps. Made at first start; only one process may use it. More drives: `storage.more_data_dirs`.
        data_dir: PathBuf = PathBuf::from("./onggi-data"), flag "--data-dir";
    }
}
