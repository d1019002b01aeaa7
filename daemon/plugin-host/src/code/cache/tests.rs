use super::*;
use std::os::unix::fs::PermissionsExt as _;

const COMPONENT: &str = "(component)";

struct Fixture {
    root: tempfile::TempDir,
    engine: Engine,
    digest: blake3::Hash,
}

impl Fixture {
    fn new() -> Self {
        let digest = blake3::hash(COMPONENT.as_bytes());
        let root = tempfile::tempdir().unwrap();
        Self {
            root,
            engine: crate::code::start_engine().unwrap(),
            digest,
        }
    }

    fn folder(&self) -> PathBuf {
        self.root.path().join("aot")
    }

    fn open(&self) -> Cache {
        Cache::open(&self.folder(), None, &self.engine).unwrap()
    }

    fn stored(&self) -> Cache {
        let cache = self.open();
        let component = Component::new(&self.engine, wat::parse_str(COMPONENT).unwrap()).unwrap();
        cache.store(&self.digest, &component.serialize().unwrap());
        cache
    }
}

#[test]
fn cached_code_is_found_after_a_restart() {
    let fixture = Fixture::new();
    assert!(
        fixture
            .open()
            .load(&fixture.engine, &fixture.digest)
            .is_none()
    );
    fixture.stored();
    assert!(
        fixture
            .open()
            .load(&fixture.engine, &fixture.digest)
            .is_some()
    );
}

#[test]
fn changed_truncated_or_foreign_files_are_a_miss_and_are_removed() {
    let fixture = Fixture::new();
    type Corrupt = fn(&Path, &Path);
    let corruptions: [(&str, Corrupt); 4] = [
        ("a changed byte", |code, _| {
            let mut bytes = fs::read(code).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(code, bytes).unwrap();
        }),
        ("a torn file", |code, _| {
            let bytes = fs::read(code).unwrap();
            fs::write(code, &bytes[..bytes.len() / 2]).unwrap();
        }),
        ("a missing tag", |_, tag| fs::remove_file(tag).unwrap()),
        ("a tag that anybody can make", |code, tag| {
            fs::write(tag, blake3::hash(&fs::read(code).unwrap()).as_bytes()).unwrap();
        }),
    ];
    for (what, corrupt) in corruptions {
        let cache = fixture.stored();
        let (code, tag) = cache.paths(&fixture.digest);
        corrupt(&code, &tag);
        assert!(
            cache.load(&fixture.engine, &fixture.digest).is_none(),
            "{what}"
        );
        let again = fixture.stored();
        assert!(
            again.load(&fixture.engine, &fixture.digest).is_some(),
            "{what}"
        );
    }
}

#[test]
fn code_of_one_component_is_not_loaded_for_another() {
    let fixture = Fixture::new();
    let cache = fixture.stored();
    let other = blake3::hash(b"other");
    let ((code, tag), (other_code, other_tag)) =
        (cache.paths(&fixture.digest), cache.paths(&other));
    fs::copy(code, other_code).unwrap();
    fs::copy(tag, other_tag).unwrap();
    assert!(cache.load(&fixture.engine, &other).is_none());
}

#[test]
fn another_installations_key_makes_it_a_miss() {
    let fixture = Fixture::new();
    fixture.stored();
    let cache = Cache::open(&fixture.folder(), Some([7; 32]), &fixture.engine).unwrap();
    assert!(cache.load(&fixture.engine, &fixture.digest).is_none());
}

#[test]
fn a_folder_that_others_can_write_is_not_used() {
    let fixture = Fixture::new();
    fixture.stored();
    fs::set_permissions(fixture.folder(), fs::Permissions::from_mode(0o777)).unwrap();
    assert!(Cache::open(&fixture.folder(), None, &fixture.engine).is_none());
}

#[test]
fn only_the_owner_can_access_files_and_folders() {
    let fixture = Fixture::new();
    let cache = fixture.stored();
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(&fixture.folder()), 0o700);
    assert_eq!(mode(&cache.folder), 0o700);
    assert_eq!(mode(&cache.paths(&fixture.digest).0), 0o600);
    assert_eq!(mode(&fixture.folder().join("key")), 0o600);
}

#[test]
fn unused_code_is_removed_and_loaded_code_stays() {
    let fixture = Fixture::new();
    let cache = fixture.stored();
    let (code, _) = cache.paths(&fixture.digest);
    let unused = code.with_file_name("unused.cwasm");
    fs::copy(&code, &unused).unwrap();
    let long_ago = SystemTime::now() - UNUSED_KEPT - Duration::from_secs(60);
    for path in [&code, &unused] {
        fs::File::open(path)
            .unwrap()
            .set_modified(long_ago)
            .unwrap();
    }
    assert!(cache.load(&fixture.engine, &fixture.digest).is_some());
    fixture.open();
    assert!(code.exists() && !unused.exists());
}
