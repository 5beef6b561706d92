//! The page: words and pictures for the template, which escapes every word.

use askama::Template;

use crate::output::Grid;

/// Everything that the page shows.
#[derive(Debug, Default, Template)]
#[template(path = "report.html")]
pub struct Page {
    /// The sweep's name.
    pub name: String,
    /// What its author says of it.
    pub description: String,
    /// Terms and what they are.
    pub facts: Vec<(String, String)>,
    /// What has no result.
    pub missing: Vec<String>,
    /// The AUROC table.
    pub auroc: Grid,
    /// AUROC by variant.
    pub forests: Vec<Drawn>,
    /// The bits/dim table.
    pub bits: Grid,
    /// Likelihoods of each variant.
    pub histograms: Vec<Drawn>,
    /// ROC curves against each dataset.
    pub rocs: Vec<Drawn>,
    /// Training curves.
    pub training: Vec<Drawn>,
    /// Figures of inspect jobs.
    pub figures: Vec<Figure>,
    /// Every number.
    pub metrics: Grid,
    /// Scores and metrics, and what they are.
    pub definitions: Vec<(String, String)>,
    /// The sweep's document.
    pub document: String,
    /// The documents of its variants.
    pub variants: Vec<Variant>,
    /// What computed the results.
    pub versions: Grid,
    /// Trained flows.
    pub checkpoints: Grid,
    /// Statistics artifacts.
    pub statistics: Grid,
    /// Steps to the same results, and their commands.
    pub commands: Vec<(String, String)>,
    /// What is not on the page, and how to get it.
    pub left_out: Vec<String>,
    /// The version of this program.
    pub versions_cli: &'static str,
}

/// A picture, or why there is none.
#[derive(Debug)]
pub enum Drawn {
    /// It could be drawn.
    Picture {
        /// A part of the page, written by the drawing code, which escapes words itself.
        svg: String,
        /// What it shows.
        caption: String,
    },
    /// It could not.
    Missing {
        /// What is missing.
        what: String,
        /// Why.
        why: String,
    },
}

/// A figure of an inspect job.
#[derive(Debug)]
pub struct Figure {
    /// The PNG.
    pub base64: String,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// What it shows.
    pub caption: String,
    /// Whose it is.
    pub of: String,
}

/// A variant's document.
#[derive(Debug)]
pub struct Variant {
    /// The settings that tell it apart.
    pub label: String,
    /// Hexadecimal.
    pub fingerprint: String,
    /// JSON.
    pub document: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVIL: &str = "</style><script>alert(1)</script>\"'&<img src=x onerror=alert(1)>";

    fn grid() -> Grid {
        Grid {
            columns: vec![("variant".to_owned(), "")],
            rows: vec![vec![(EVIL.to_owned(), "")]],
            notes: vec![EVIL.to_owned()],
            left_out: 3,
        }
    }

    fn page() -> Page {
        let pair = || vec![(EVIL.to_owned(), EVIL.to_owned())];
        let missing = || vec![Drawn::Missing { what: EVIL.to_owned(), why: EVIL.to_owned() }];
        Page {
            name: EVIL.to_owned(),
            description: EVIL.to_owned(),
            facts: pair(),
            missing: vec![EVIL.to_owned()],
            auroc: grid(),
            forests: missing(),
            bits: grid(),
            histograms: vec![Drawn::Picture {
                svg: "<svg xmlns=\"http://www.w3.org/2000/svg\" />".to_owned(),
                caption: EVIL.to_owned(),
            }],
            rocs: missing(),
            training: missing(),
            figures: vec![Figure {
                base64: "aGk=".to_owned(),
                width: 1,
                height: 1,
                caption: EVIL.to_owned(),
                of: EVIL.to_owned(),
            }],
            metrics: grid(),
            definitions: pair(),
            document: EVIL.to_owned(),
            variants: vec![Variant { label: EVIL.to_owned(), fingerprint: EVIL.to_owned(), document: EVIL.to_owned() }],
            versions: grid(),
            checkpoints: grid(),
            statistics: grid(),
            commands: pair(),
            left_out: vec![EVIL.to_owned()],
            versions_cli: "1.0.0",
        }
    }

    #[test]
    fn whatever_users_write_stays_text() {
        let html = page().render().unwrap();

        assert!(!html.contains("<script") && !html.contains("<img src=x"), "{html}");
        let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
        let document = roxmltree::Document::parse_with_options(&html, options).unwrap();
        let texts = document.descendants().filter(|node| node.is_text() && node.text() == Some(EVIL)).count();
        assert!(texts > 20, "{texts} times");
        let alternatives = document.descendants().filter(|node| node.attribute("alt") == Some(EVIL)).count();
        assert_eq!(alternatives, 1);
    }

    #[test]
    fn empty_page_says_what_is_missing() {
        let html = Page::default().render().unwrap();

        assert!(html.contains("No evaluation has ended yet.") && html.contains("The sweep has no figures"), "{html}");
        assert!(!html.contains("id=\"left-out\""));
    }
}
