//! `report`: one page with everything that a sweep gave, which needs nothing else to be read.

mod collect;
mod definitions;
mod figures;
mod limits;
mod page;
mod tables;

use std::path::PathBuf;

use anyhow::Context;
use askama::Template;
use clap::Args;

use self::collect::collect;
use crate::{client::Client, evidence::Evidence, failure::Failure, output::write_file};

const EXAMPLES: &str = "\
Examples:
  spillway report demo -o demo.html
  spillway report masks --variant mask=cycle --variant mask=horizontal -o two.html   pictures of these variants
  spillway report masks --figures-mib 40 -o masks.html

The page holds its pictures and asks for nothing: it can be sent, printed and kept. Of a large sweep it shows the first variants in pictures
and says what it leaves out.";

/// What is reported, and where it goes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The sweep's name or id
    sweep: String,
    /// Draw this variant, named by its label; repeat it for more. Default: the first twelve
    #[arg(long, value_name = "LABEL")]
    variant: Vec<String>,
    /// Most MiB of figures of inspect jobs in the page
    #[arg(long, value_name = "MIB", default_value_t = limits::DEFAULT_FIGURES_MIB, value_parser = clap::value_parser!(u32).range(0..=256))]
    figures_mib: u32,
    /// The file
    #[arg(short, long, value_name = "FILE", default_value = "report.html")]
    output: PathBuf,
}

/// Reads everything, writes the page and says how large it is.
pub async fn run(arguments: &Arguments, client: &Client) -> Result<(), Failure> {
    let evidence = Evidence::read(client, &arguments.sweep).await?;
    let page = collect(arguments, &evidence).await?;
    let html = page.render().context("the page cannot be written")?;
    write_file(&arguments.output, html.as_bytes())?;
    eprintln!("wrote {} ({:.1} MB)", arguments.output.display(), html.len() as f64 / 1e6);
    Ok(())
}
