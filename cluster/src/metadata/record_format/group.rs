//! What a group keeps about itself.

use onggi_storage_engine::error::Result;
use onggi_storage_engine::format::{Decoder, Encoder, Record};

use crate::metadata::field::{Field, record, struct_fields};
use crate::metadata::record::{DecisionsRecord, RangeRecord, RequestRecord};

struct_fields!(DecisionsRecord { clock, requests, forgotten_ms });
record!(DecisionsRecord, "decisions record");

struct_fields!(RequestRecord { request, time_ms, outcome });
record!(RequestRecord, "request record");

struct_fields!(RangeRecord { first, last });
record!(RangeRecord, "range record");
