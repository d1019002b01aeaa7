//! Guests in WebAssembly text, with the canonical ABI of plugin.wit written out: this tests the
//! host with code that no compiler would generate, and needs no compiler for guests.
#![allow(clippy::unwrap_used, reason = "made for tests alone")]

use std::collections::BTreeSet;
use std::path::Path;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::abi::{AbiVariant, WasmType};
use wit_parser::{Resolve, WorldItem};

/// The bodies of the six exports, and the rest of the module.
#[derive(Clone)]
pub struct Guest {
    /// The body of `describe`.
    pub describe: String,
    /// The body of `check-config`.
    pub check_config: String,
    /// The body of `on-event`.
    pub on_event: String,
    /// The body of `on-webhook`.
    pub on_webhook: String,
    /// The body of `on-schedule`.
    pub on_schedule: String,
    /// The body of `health`.
    pub health: String,
    /// Additional functions, globals, tables.
    pub more: String,
    /// Initial memory pages.
    pub pages: u32,
    /// Initial contents of memory, by address.
    pub data: Vec<(u32, Vec<u8>)>,
}

const DESCRIPTOR: u32 = 256;
const STRINGS: u32 = 320;
/// `ok(done)`, `ok`, an empty list: all zero.
const ZEROES: u32 = 512;
const OK_200: u32 = 640;
/// Where [`Guest::sends`] puts its request.
pub const REQUEST: u32 = 1024;
const REQUEST_STRINGS: u32 = 2048;
/// Where imports write their results.
pub const ANSWER: u32 = 1536;

/// A body that never ends.
pub const SPIN: &str = "(loop $l (br $l)) unreachable";
/// A body that traps.
pub const TRAP: &str = "unreachable";

impl Default for Guest {
    fn default() -> Self {
        let done = format!("(i32.const {ZEROES})");
        let mut guest = Self {
            describe: format!("(i32.const {DESCRIPTOR})"),
            check_config: done.clone(),
            on_event: done.clone(),
            on_webhook: format!("(i32.const {OK_200})"),
            on_schedule: done.clone(),
            health: done,
            more: String::new(),
            pages: 2,
            data: Vec::new(),
        };
        guest.describes("probe", "0.1.0", &["job", "page"]);
        guest.put(960, b"timeout");
        guest.put(976, b"too-large");
        guest.put(992, b"throttled");
        guest.put(OK_200 + 8, &200_u16.to_le_bytes());
        guest
    }
}

impl Guest {
    /// Sets its descriptor, which must match its manifest.
    pub fn describes(&mut self, id: &str, version: &str, events: &[&str]) {
        let mut strings = Block::new(STRINGS);
        let mut descriptor = Vec::new();
        descriptor.extend(strings.string(id));
        descriptor.extend(strings.string(version));
        let list: Vec<u8> = events
            .iter()
            .flat_map(|event| strings.string(event))
            .collect();
        let list_at = strings.bytes(&list);
        descriptor.extend(pair(list_at, events.len() as u32));
        self.put(DESCRIPTOR, &descriptor);
        let bytes = strings.bytes;
        self.put(STRINGS, &bytes);
    }

    /// On an event: sends this request, and logs the response's body or the error's text.
    #[must_use]
    pub fn sends(mut self, request: &Request<'_>) -> Self {
        let mut strings = Block::new(REQUEST_STRINGS);
        let image = request.image(&mut strings);
        self.put(REQUEST, &image);
        let bytes = strings.bytes;
        self.put(REQUEST_STRINGS, &bytes);
        self.on_event = format!(
            "(call $http_send (i32.const {REQUEST}) (i32.const {ANSWER}))
             (call $log_answer)
             (i32.const {ZEROES})"
        );
        self
    }

    /// Adds initial contents of memory.
    pub fn put(&mut self, at: u32, bytes: &[u8]) {
        self.data.push((at, bytes.to_vec()));
    }

    /// On an event: runs this and returns `ok(done)`.
    #[must_use]
    pub fn on_event(body: &str) -> Self {
        Self {
            on_event: format!("{body} (i32.const {ZEROES})"),
            ..Self::default()
        }
    }

    /// As WebAssembly text.
    #[must_use]
    pub fn text(&self) -> String {
        let data: String = self
            .data
            .iter()
            .map(|(at, bytes)| data_segment(*at, bytes))
            .collect();
        let i32s = |n: usize| vec!["i32"; n].join(" ");
        let export = |name: &str, params: &str, body: &str| {
            let params = if params.is_empty() {
                String::new()
            } else {
                format!("(param {params})")
            };
            format!(
                "(func (export \"tocsin:plugin/handler@0.1.0#{name}\") {params} (result i32)
                   {body})\n"
            )
        };
        let webhook = format!("{} i64", i32s(15));
        let schedule = format!("i32 i32 i64 i32 {} i64 {}", i32s(6), i32s(5));
        let body = [
            format!("(memory (export \"memory\") {})\n", self.pages),
            data,
            REALLOC.to_owned(),
            LOG_ANSWER.to_owned(),
            self.more.clone(),
            export("describe", "", &self.describe),
            export("check-config", "i32 i32", &self.check_config),
            export("on-event", "i32", &self.on_event),
            export("on-webhook", &webhook, &self.on_webhook),
            export("on-schedule", &schedule, &self.on_schedule),
            export("health", "", &self.health),
        ]
        .concat();
        format!("(module\n{}{body})", imports(&body))
    }

    #[must_use]
    pub fn component(&self) -> Vec<u8> {
        let module = wat::parse_str(self.text()).unwrap();
        encode(module)
    }
}

/// Wraps a core module for the world `plugin`.
#[must_use]
pub fn encode(mut module: Vec<u8>) -> Vec<u8> {
    let (resolve, world) = world();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default()
        .module(&module)
        .unwrap()
        .validate(true)
        .encode()
        .unwrap()
}

/// The world `plugin` of the interface.
#[must_use]
pub fn world() -> (Resolve, wit_parser::WorldId) {
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugin-sdk/wit");
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(wit).unwrap();
    let world = resolve.select_world(&[package], Some("plugin")).unwrap();
    (resolve, world)
}

/// An `http.request`.
#[derive(Default)]
pub struct Request<'r> {
    pub method: &'r str,
    pub url: &'r str,
    /// Names and values.
    pub headers: &'r [(&'r str, &'r str)],
    pub body: Option<&'r str>,
    /// In milliseconds.
    pub timeout_ms: Option<u32>,
    /// The right whose credential is added.
    pub auth: Option<&'r str>,
    /// Its idempotency key.
    pub once: Option<&'r str>,
}

impl Request<'_> {
    fn image(&self, strings: &mut Block) -> Vec<u8> {
        let mut image = Vec::new();
        image.extend(strings.string(self.method));
        image.extend(strings.string(self.url));
        let headers: Vec<u8> = self
            .headers
            .iter()
            .flat_map(|(name, value)| [strings.string(name), strings.string(value)].concat())
            .collect();
        let headers_at = strings.bytes(&headers);
        image.extend(pair(headers_at, self.headers.len() as u32));
        image.extend(strings.option(self.body));
        image.extend(pair(
            u32::from(self.timeout_ms.is_some()),
            self.timeout_ms.unwrap_or(0),
        ));
        image.extend(strings.option(self.auth));
        image.extend(strings.option(self.once));
        image.extend(strings.string("{}"));
        image
    }
}

/// Bytes that pointers can refer to.
struct Block {
    at: u32,
    bytes: Vec<u8>,
}

impl Block {
    fn new(at: u32) -> Self {
        Self {
            at,
            bytes: Vec::new(),
        }
    }

    fn bytes(&mut self, bytes: &[u8]) -> u32 {
        while !self.bytes.len().is_multiple_of(4) {
            self.bytes.push(0);
        }
        let at = self.at + self.bytes.len() as u32;
        self.bytes.extend_from_slice(bytes);
        at
    }

    fn string(&mut self, text: &str) -> Vec<u8> {
        let at = self.bytes(text.as_bytes());
        pair(at, text.len() as u32)
    }

    fn option(&mut self, text: Option<&str>) -> Vec<u8> {
        let some = u32::from(text.is_some()).to_le_bytes();
        [some.to_vec(), self.string(text.unwrap_or(""))].concat()
    }
}

fn pair(first: u32, second: u32) -> Vec<u8> {
    [first.to_le_bytes(), second.to_le_bytes()].concat()
}

fn data_segment(at: u32, bytes: &[u8]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
    format!("(data (i32.const {at}) \"{hex}\")\n")
}

/// The imports that a module's text uses: `$kv_delete` is `delete` of `kv` in plugin.wit.
fn imports(text: &str) -> String {
    let is_delimiter = |c: char| c.is_whitespace() || c == '(' || c == ')';
    let words: BTreeSet<&str> = text.split(is_delimiter).collect();
    let (resolve, world) = world();
    let mut imports = String::new();
    for item in resolve.worlds[world].imports.values() {
        let WorldItem::Interface { id, .. } = item else {
            continue;
        };
        let interface = &resolve.interfaces[*id];
        for function in interface.functions.values() {
            let short = interface.name.as_deref().unwrap_or_default();
            let name = format!("${short}_{}", function.name).replace('-', "_");
            if !words.contains(name.as_str()) {
                continue;
            }
            let signature = resolve.wasm_signature(AbiVariant::GuestImport, function);
            let [params, results] = [("param", signature.params), ("result", signature.results)]
                .map(|(kind, types)| match types.is_empty() {
                    true => String::new(),
                    false => format!(
                        "({kind} {})",
                        types
                            .into_iter()
                            .map(core_type)
                            .collect::<Vec<_>>()
                            .join(" ")
                    ),
                });
            imports.push_str(&format!(
                "(import \"{}\" \"{}\" (func {name} {params} {results}))\n",
                resolve.id_of(*id).unwrap(),
                function.name
            ));
        }
    }
    imports
}

fn core_type(ty: WasmType) -> &'static str {
    match ty {
        WasmType::I32 | WasmType::Pointer | WasmType::Length => "i32",
        WasmType::I64 | WasmType::PointerOrI64 => "i64",
        WasmType::F32 => "f32",
        WasmType::F64 => "f64",
    }
}

/// A bump allocator that grows the memory and traps if it cannot.
const REALLOC: &str = r#"
(global $next (mut i32) (i32.const 65536))
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
  (local $at i32)
  (global.set $next
    (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
  (local.set $at (global.get $next))
  (global.set $next (i32.add (global.get $next) (local.get 3)))
  (block $fits
    (loop $more
      (br_if $fits (i32.le_u (global.get $next) (i32.mul (memory.size) (i32.const 65536))))
      (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then unreachable))
      (br $more)))
  (local.get $at))
"#;

/// `result<response, http-error>` is at 1536: the tag, and at 8 the response or the error's tag,
/// whose text is at 16 (tags 2, 5 and 6 have none); the body is at 20.
const LOG_ANSWER: &str = r#"
(func $log_answer
  (if (i32.load8_u (i32.const 1536))
    (then
      (if (i32.eq (i32.load8_u (i32.const 1544)) (i32.const 2))
        (then (call $log_write
                (i32.const 4) (i32.const 960) (i32.const 7) (i32.const 0) (i32.const 0))
              (return)))
      (if (i32.eq (i32.load8_u (i32.const 1544)) (i32.const 5))
        (then (call $log_write
                (i32.const 4) (i32.const 976) (i32.const 9) (i32.const 0) (i32.const 0))
              (return)))
      (if (i32.eq (i32.load8_u (i32.const 1544)) (i32.const 6))
        (then (call $log_write
                (i32.const 4) (i32.const 992) (i32.const 9) (i32.const 0) (i32.const 0))
              (return)))
      (call $log_write (i32.const 4) (i32.load (i32.const 1552)) (i32.load (i32.const 1556))
                 (i32.const 0) (i32.const 0)))
    (else (call $log_write (i32.const 2) (i32.load (i32.const 1556)) (i32.load (i32.const 1560))
                     (i32.const 0) (i32.const 0)))))
"#;
