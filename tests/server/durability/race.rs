//! Race: keys that all writers try to create with `If-None-Match: *`, and of which at most one may learn that it won.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::value::Value;

#[derive(Default, Debug)]
pub struct Race {
    pub winner: Option<Value>,
    /// Of those that never got a reply.
    pub maybe: Vec<Value>,
    /// Somebody was told that the key exists.
    pub lost: bool,
}

/// Of all writers; cheap to clone.
#[derive(Clone, Default)]
pub struct Races(Arc<Mutex<BTreeMap<String, Race>>>);

impl Races {
    pub fn note(&self, key: &str, note: impl FnOnce(&mut Race)) {
        note(self.0.lock().unwrap().entry(key.to_owned()).or_default());
    }

    pub fn won(&self, key: &str, value: Value) {
        self.note(key, |race| assert_eq!(race.winner.replace(value), None, "{key}: two writers created it"));
    }

    pub fn keys(&self) -> Vec<String> {
        self.0.lock().unwrap().keys().cloned().collect()
    }

    /// After a restart: what is there decides the race for ever.
    pub fn verify(&self, key: &str, stored: Option<&[u8]>) {
        self.note(key, |race| {
            let found = stored.map(|stored| {
                let known = race.winner.iter().chain(&race.maybe).find(|value| value.is(stored));
                known.unwrap_or_else(|| panic!("{key}: bytes that nobody wrote, {race:?}")).clone()
            });
            if race.winner.is_some() {
                assert_eq!(found, race.winner, "{key}: the acknowledged creation");
            }
            assert!(found.is_some() || !race.lost, "{key}: a writer was told it exists, and it does not");
            race.maybe.clear();
            race.winner = found;
        });
    }

    /// Keys that exist, with their sizes.
    pub fn objects(&self) -> Vec<(String, usize)> {
        let races = self.0.lock().unwrap();
        races.iter().filter_map(|(key, race)| Some((key.clone(), race.winner.as_ref()?.bytes()))).collect()
    }
}
