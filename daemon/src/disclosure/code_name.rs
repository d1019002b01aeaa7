//! Neutral names of security incidents, for those who may know that there is one and nothing else.

/// Trees, as they say nothing and are easy to spell and to tell apart.
const NAMES: [&str; 61] = [
    "Acacia", "Alder", "Almond", "Apple", "Ash", "Aspen", "Banyan", "Baobab", "Beech", "Birch",
    "Cacao", "Camphor", "Cedar", "Cherry", "Chestnut", "Cork", "Cypress", "Dogwood", "Ebony",
    "Elder", "Elm", "Fig", "Fir", "Ginkgo", "Guava", "Hawthorn", "Hazel", "Hemlock", "Hickory",
    "Holly", "Hornbeam", "Ironwood", "Juniper", "Kapok", "Larch", "Laurel", "Lemon", "Lime",
    "Linden", "Locust", "Mahogany", "Mango", "Maple", "Myrtle", "Neem", "Nutmeg", "Oak", "Olive",
    "Palm", "Pear", "Pecan", "Pine", "Plum", "Poplar", "Redwood", "Rowan", "Spruce", "Sumac",
    "Sycamore", "Walnut", "Willow",
];
/// Prime to the number of names, so that incidents one after the other have unlike names.
const STEP: u64 = 23;

/// The code name of an incident. After 61 incidents it comes again; the number is always beside it.
pub(super) fn code_name(number: u64) -> &'static str {
    let count = NAMES.len() as u64;
    let index = usize::try_from(number % count * STEP % count);
    index.ok().and_then(|it| NAMES.get(it)).unwrap_or(&NAMES[0])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn incidents_in_a_row_have_different_names() {
        let names: BTreeSet<_> = (1..=61).map(code_name).collect();
        assert_eq!(names.len(), NAMES.len());
        assert_eq!(code_name(1), code_name(62));
        assert_eq!(code_name(u64::MAX), code_name(u64::MAX));
    }
}
