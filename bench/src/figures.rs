//! Figures: named values with their units, as a table for people or JSON for machines.

use serde::Serialize;

use crate::table::Table;

/// What one run measured on this machine.
#[derive(Serialize)]
pub struct Figures {
    cores: usize,
    rows: Vec<Figure>,
}

#[derive(Serialize)]
pub struct Figure {
    name: String,
    pub value: f64,
    unit: &'static str,
}

impl Figure {
    pub fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { name: name.into(), value, unit }
    }
}

impl Figures {
    pub fn of(rows: Vec<Figure>) -> anyhow::Result<Self> {
        Ok(Self { cores: std::thread::available_parallelism()?.get(), rows })
    }

    pub fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            println!("{}", serde_json::to_string_pretty(self)?);
            return Ok(());
        }
        let mut table = Table::new(&[&format!("{} cores", self.cores), "measured", "unit"]);
        for row in &self.rows {
            table.row(vec![row.name.clone(), format!("{:.2}", row.value), row.unit.to_string()]);
        }
        print!("{}", table.render());
        Ok(())
    }
}
