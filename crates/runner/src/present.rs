//! Results as people and programs read them: tables, pages, figures, CSV, JSON.

pub mod assignments;
pub mod columns;
pub mod components;
pub mod csv;
pub mod figures;
pub mod pages;
pub mod report;
pub mod suite;
pub mod table;
pub mod text_table;
pub mod words;
