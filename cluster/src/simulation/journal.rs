//! Journal: prints what the nodes log, for a run that does not end or that nobody understands: `ONGGI_TEST_EVENTS=info`, or `debug`.

use std::fmt::{Debug, Write as _};

use tokio::time::Instant;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Metadata, Subscriber};

struct Journal {
    level: LevelFilter,
    begun: Instant,
}

/// For this thread, until dropped.
pub fn begin() -> Option<DefaultGuard> {
    let level = std::env::var("ONGGI_TEST_EVENTS").ok()?.parse().unwrap_or(LevelFilter::INFO);
    Some(tracing::subscriber::set_default(Journal { level, begun: Instant::now() }))
}

impl Subscriber for Journal {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.level
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        let (level, target) = (event.metadata().level(), event.metadata().target());
        println!("{:>9.3} {level} {target}{}", self.begun.elapsed().as_secs_f64(), line.0);
    }

    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}
