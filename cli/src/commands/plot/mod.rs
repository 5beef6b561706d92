//! `plot`: one picture of a sweep, as SVG or PNG.

mod kinds;

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::{Args, ValueEnum};
use domain::spec::ScoreName;
use pictures::Picture;

use crate::{client::Client, evidence::Evidence, failure::Failure, output::write_file};

const EXAMPLES: &str = "\
Examples:
  spillway plot likelihoods demo --variant mask=cycle -o cycle.svg
  spillway plot likelihoods demo --score complexity-png -o complexity.png
  spillway plot roc demo --out mnist -o roc.svg             a curve for each variant
  spillway plot roc demo --by score -o scores.svg           a curve for each score, of one variant
  spillway plot training demo -o training.png
  spillway plot auroc demo --out mnist -o auroc.svg

The file's ending says which: .svg or .png. The same results give the same bytes.";

/// Pixels of a PNG for each unit of the SVG, when nothing else is asked for.
const DEFAULT_SCALE: f32 = 2.0;

/// What is drawn, of what, and where it goes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// What to draw
    #[arg(value_enum)]
    kind: Kind,
    /// The sweep's name or id
    sweep: String,
    /// Draw this variant, named by its label; repeat it for more. Default: the first twelve, or the first one where only one fits
    #[arg(long, value_name = "LABEL")]
    variant: Vec<String>,
    /// Draw this seed. Default: the first one that has results; all of them in training and auroc
    #[arg(long)]
    seed: Option<u64>,
    /// Draw this OOD dataset. Default: all in likelihoods, the only one elsewhere
    #[arg(long, value_name = "DATASET")]
    out: Option<String>,
    /// Draw this score; in roc with `--by score` it may be repeated
    #[arg(long, value_name = "NAME")]
    score: Vec<String>,
    /// Unit of likelihoods
    #[arg(long, value_enum, default_value_t)]
    unit: Unit,
    /// What each ROC curve is of
    #[arg(long, value_enum, default_value_t)]
    by: By,
    /// Pixels of a PNG for each unit of the SVG
    #[arg(long, default_value_t = DEFAULT_SCALE, value_parser = scale)]
    scale: f32,
    /// The file, whose ending is .svg or .png
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

/// The kinds of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Histograms of likelihoods or of a score, in and out of distribution
    Likelihoods,
    /// ROC curves with confidence bands
    Roc,
    /// Bits/dim against the training step
    Training,
    /// AUROC of each variant with its interval over seeds
    Auroc,
}

/// Units of likelihoods.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Unit {
    /// Bits per dimension: lower is more likely
    #[default]
    BitsPerDim,
    /// Nats per example: higher is more likely
    Nats,
}

/// What ROC curves are of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum By {
    /// One curve for each variant, under one score
    #[default]
    Variant,
    /// One curve for each score, of one variant
    Score,
}

/// The forms of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Svg,
    Png,
}

/// Draws one picture and writes it.
pub async fn run(arguments: &Arguments, client: &Client) -> Result<(), Failure> {
    let form = Form::of(&arguments.output)?;
    let scores = arguments.scores()?;
    let evidence = Evidence::read(client, &arguments.sweep).await?;
    let picture = match arguments.kind {
        Kind::Likelihoods => kinds::likelihoods(arguments, &scores, &evidence).await?,
        Kind::Roc => kinds::roc(arguments, &scores, &evidence).await?,
        Kind::Training => kinds::training(arguments, &evidence).await?,
        Kind::Auroc => kinds::auroc(arguments, &scores, &evidence).await?,
    };
    write_file(&arguments.output, &form.bytes(&picture, arguments.scale)?)?;
    eprintln!("wrote {}", arguments.output.display());
    Ok(())
}

impl Arguments {
    fn scores(&self) -> Result<Vec<ScoreName>, Failure> {
        let scores: Vec<ScoreName> = self
            .score
            .iter()
            .map(|name| name.parse().map_err(|error| Failure::Other(anyhow::Error::new(error))))
            .collect::<Result<_, _>>()?;
        let several = self.kind == Kind::Roc && self.by == By::Score;
        if scores.len() > 1 && !several {
            return Err(anyhow!("one --score at a time: only `roc --by score` draws several").into());
        }
        if self.kind == Kind::Training && !(scores.is_empty() && self.out.is_none()) {
            return Err(anyhow!("training curves have no --score and no --out").into());
        }
        Ok(scores)
    }
}

impl Form {
    fn of(path: &Path) -> Result<Self, Failure> {
        match path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase).as_deref() {
            Some("svg") => Ok(Self::Svg),
            Some("png") => Ok(Self::Png),
            _ => Err(anyhow!("{} is no picture's name: one that ends in .svg or .png expected", path.display()).into()),
        }
    }

    fn bytes(self, picture: &Picture, scale: f32) -> Result<Vec<u8>, Failure> {
        match self {
            Self::Svg => Ok(picture.svg().as_bytes().to_vec()),
            Self::Png => picture.png(scale).map_err(|error| Failure::Other(error.into())),
        }
    }
}

fn scale(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(scale) if (0.25..=8.0).contains(&scale) => Ok(scale),
        _ => Err("a number from 0.25 to 8 expected".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_told_by_the_file_s_ending() {
        assert_eq!(Form::of(Path::new("a/b.SVG")).unwrap(), Form::Svg);
        assert_eq!(Form::of(Path::new("b.png")).unwrap(), Form::Png);
        for path in ["b", "b.jpeg", ".svg", "b.svg/"] {
            let form = Form::of(Path::new(path));
            assert!(form.is_err() || path.ends_with('/'), "{path}");
        }
    }

    #[test]
    fn scales_are_bounded() {
        assert_eq!(scale("1.5"), Ok(1.5));
        for text in ["0", "-1", "9", "nan", "inf", "wide"] {
            assert!(scale(text).is_err(), "{text}");
        }
    }
}
