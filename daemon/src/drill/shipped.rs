//! The drills that come with the program.

use super::DrillScenario;

/// Their files.
pub(crate) const SHIPPED: [&str; 3] = [
    include_str!("shipped/database-full.toml"),
    include_str!("shipped/bad-deployment.toml"),
    include_str!("shipped/leaked-token.toml"),
];

/// The text of the shipped drill with this name.
pub(crate) fn shipped(name: &str) -> Option<&'static str> {
    let is_it = |text: &&&str| DrillScenario::parse(text).is_ok_and(|it| it.name == name);
    SHIPPED.iter().find(is_it).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_drill_can_be_played() {
        for text in SHIPPED {
            let scenario = DrillScenario::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"));
            assert_eq!(shipped(&scenario.name), Some(text));
            assert!(!scenario.title.is_empty() && !scenario.audiences.is_empty());
        }
    }
}
