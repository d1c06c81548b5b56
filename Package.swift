// swift-tools-version: 6.2
import PackageDescription

// Two builds, chosen by ESETS_MODULES:
//   (unset)  modules are Embedded Swift, as shipped and loaded with dlopen (use with -c release);
//   hosted   the same module sources as regular Swift, for `swift test`, sanitizers and fuzzing.
let hosted = Context.environment["ESETS_MODULES"] == "hosted"
// Fuzz targets need clang's fuzzer runtime, which only `tools/fuzz` asks for.
let fuzzing = Context.environment["ESETS_FUZZ"] == "1"

// MARK: - Settings that every target has

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]
/// Modules: Embedded Swift, unless the build is the hosted one. Sources that both worlds compile choose
/// their imports by MODULE_WORLD (`#if MODULE_WORLD import BytesE #else import Bytes #endif`).
let moduleSettings: [SwiftSetting] =
    strict + [.define("MODULE_WORLD")]
    + (hosted
        ? []
        : [.enableExperimentalFeature("Embedded"), .unsafeFlags(["-wmo", "-enforce-exclusivity=unchecked"])])
/// Programs and their libraries: as shipped, what the compiler has proven or the tests of the hosted build have checked is
/// not checked again at each access of a class's property.
let hostSettings: [SwiftSetting] = strict + (hosted ? [] : [.unsafeFlags(["-enforce-exclusivity=unchecked"])])
let warningsAreErrors: [CSetting] = [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]
/// A module exports its entry symbol and nothing else, and every symbol it uses is defined.
let moduleLinking: [LinkerSetting] =
    hosted
    ? []
    : [
        .unsafeFlags([
            "-Xlinker", "--version-script=\(Context.packageDirectory)/Plugins/module.map",
            "-Xlinker", "--gc-sections",
            "-Xlinker", "-z", "-Xlinker", "defs",
            "-Xlinker", "-z", "-Xlinker", "now",
            "-no-toolchain-stdlib-rpath",
        ])
    ]
/// Programs find the one shipped Swift runtime in @LIBDIR@ (bin and sbin lie beside lib).
let programLinking: [LinkerSetting] =
    hosted
    ? []
    : [.unsafeFlags(["-no-toolchain-stdlib-rpath", "-Xlinker", "-rpath", "-Xlinker", "$ORIGIN/../lib"])]

// MARK: - Kinds of target

/// A C target: the public headers, or a shim over one system library.
func shim(_ name: String, links: [String] = []) -> Target {
    .target(
        name: name, path: "Sources/\(name)", cSettings: warningsAreErrors,
        linkerSettings: links.map { .linkedLibrary($0) })
}

/// A library of the host's world.
func library(_ name: String, _ needs: [String] = []) -> Target {
    .target(
        name: name, dependencies: needs.map { .init(stringLiteral: $0) }, path: "Sources/\(name)",
        swiftSettings: hostSettings)
}

/// A library of the modules' world.
func moduleLibrary(_ name: String, _ needs: [String] = []) -> Target {
    .target(
        name: name, dependencies: needs.map { .init(stringLiteral: $0) }, path: "Plugins/\(name)",
        swiftSettings: moduleSettings)
}

/// A library that both worlds compile: `Sources/<name>`, and the link `Plugins/<name>E` to it.
func shared(_ name: String, _ needs: [String] = [], shims: [String] = []) -> [Target] {
    [
        library(name, needs + shims),
        moduleLibrary("\(name)E", needs.map { "\($0)E" } + shims),
    ]
}

/// A loadable module: its entry point (Swift) and its manifest (a C note), linked to its code.
func module(_ id: String, code: String, links: [String] = []) -> [Target] {
    [
        .target(
            name: "\(id)manifest", dependencies: ["CModuleABI"], path: "Plugins/\(code).manifest",
            cSettings: warningsAreErrors),
        .target(
            name: id, dependencies: ["CModuleABI", .init(stringLiteral: code), .init(stringLiteral: "\(id)manifest")],
            path: "Plugins/\(code).entry",
            swiftSettings: moduleSettings,
            linkerSettings: moduleLinking + links.map { .linkedLibrary($0) }),
    ]
}

func program(_ name: String, _ needs: [String]) -> Target {
    .executableTarget(
        name: name, dependencies: needs.map { .init(stringLiteral: $0) }, path: "Sources/\(name)",
        swiftSettings: hostSettings, linkerSettings: programLinking)
}

func tests(_ name: String, _ needs: [String], resources: [Resource] = [], exclude: [String] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: needs.map { .init(stringLiteral: $0) }, path: "Tests/\(name)Tests",
        exclude: exclude, resources: resources, swiftSettings: strict)
}

// MARK: - The house

let shims: [Target] = [
    shim("CModuleABI"),
    shim("CLinux"),
    shim("CElf", links: ["elf"]),
    shim("CCrypto", links: ["crypto"]),
    shim("CAuthenticode", links: ["crypto"]),
    shim("CKeys", links: ["crypto"]),
    shim("CTLS", links: ["ssl", "crypto"]),
    shim("CZlib", links: ["z"]),
    shim("CDeflate", links: ["deflate"]),
    shim("CSignedData", links: ["crypto"]),
    shim("CPCRE2", links: ["pcre2-8"]),
    shim("CFFI", links: ["ffi"]),
    shim("CTime"),
    shim("CSearch"),
    shim("CDigests"),
    shim("CSlots"),
    shim("CFrequencies"),
    shim("CBase64"),
    shim("CArchive", links: ["archive"]),
    shim("CMicrohttpd", links: ["microhttpd"]),
    shim("CCurl", links: ["curl"]),
    shim("CResolver", links: ["resolv"]),
    shim("CZstd", links: ["zstd"]),
    shim("CBrotli", links: ["brotlidec"]),
    shim("CStreams", links: ["lzma", "bz2", "zstd"]),
]

let sharedLibraries: [Target] = [
    shared("Bytes", shims: ["CSearch"]),
    shared("MIME", ["Bytes"], shims: ["CBase64"]),
    shared("Tokens", ["Bytes", "MIME"], shims: ["CModuleABI"]),
    shared("Verifier", ["Bytes"], shims: ["CModuleABI", "CElf", "CCrypto"]),
].flatMap { $0 }

let moduleCode: [Target] = [
    moduleLibrary("ModuleKit", ["CModuleABI", "CSlots", "BytesE"]),
    moduleLibrary("Loader", ["ModuleKit", "VerifierE", "BytesE", "CModuleABI"]),
    moduleLibrary("Executables", ["BytesE", "CModuleABI"]),
    moduleLibrary("Lending", ["CSlots"]),
    moduleLibrary("Regex", ["BytesE", "CModuleABI", "CPCRE2"]),
    moduleLibrary("DatabaseSections", ["BytesE", "CModuleABI"]),
    moduleLibrary(
        "Matching",
        [
            "DatabaseSections", "Regex", "Lending", "Executables", "BytesE", "CModuleABI", "CCrypto", "CDigests",
            "CAuthenticode", "CSearch",
        ]),
    moduleLibrary("Images", ["BytesE", "CZlib"]),
    moduleLibrary("Normalization", ["BytesE", "CSearch"]),
    moduleLibrary(
        "YARAEngine", ["Matching", "DatabaseSections", "Executables", "BytesE", "CModuleABI", "CCrypto", "CFFI"]),
    moduleLibrary(
        "Scanner",
        [
            "ModuleKit", "Matching", "DatabaseSections", "Images", "YARAEngine", "CTime", "Executables",
            "Normalization",
            "BytesE",
            "CModuleABI", "CCrypto", "Lending",
        ]),
    moduleLibrary("Unpacking", ["ModuleKit", "MIMEE", "BytesE", "CModuleABI", "CZlib", "CDeflate", "CSearch"]),
    moduleLibrary(
        "Passwords",
        ["DatabaseSections", "Unpacking", "ModuleKit", "MIMEE", "BytesE", "CModuleABI", "CCrypto", "CZlib"]),
    moduleLibrary("MailFormats", ["Unpacking", "ModuleKit", "MIMEE", "BytesE", "CModuleABI"]),
    moduleLibrary("Libarchive", ["Unpacking", "ModuleKit", "MIMEE", "BytesE", "CModuleABI", "CArchive"]),
    moduleLibrary("Streams", ["Unpacking", "ModuleKit", "BytesE", "CModuleABI", "CStreams"]),
    moduleLibrary("DiskImages", ["Streams", "Unpacking", "ModuleKit", "MIMEE", "BytesE", "CModuleABI"]),
    moduleLibrary("Packers", ["Executables", "Streams", "Unpacking", "ModuleKit", "BytesE", "CModuleABI"]),
    moduleLibrary(
        "OldArchives",
        [
            "Packers", "Passwords", "Libarchive", "Streams", "Unpacking", "ModuleKit", "MIMEE", "BytesE", "CModuleABI",
            "CBrotli", "CStreams",
        ]),
    moduleLibrary(
        "Archives",
        [
            "DiskImages", "OldArchives", "Documents", "Executables", "Libarchive", "Streams", "MailFormats",
            "Passwords",
            "Unpacking", "ModuleKit", "MIMEE", "BytesE", "CModuleABI", "CSearch", "CZlib",
        ]),
    moduleLibrary("CompoundFiles", ["BytesE"]),
    moduleLibrary(
        "Documents",
        [
            "CompoundFiles", "Streams", "MailFormats", "Passwords", "Scripts", "Unpacking", "ModuleKit", "MIMEE",
            "BytesE", "CModuleABI", "CCrypto",
        ]),
    moduleLibrary("Scripts", ["Unpacking", "ModuleKit", "MIMEE", "BytesE", "CModuleABI"]),
    moduleLibrary("Heuristics", ["CompoundFiles", "ModuleKit", "BytesE", "CModuleABI"]),
    moduleLibrary("Antispam", ["ModuleKit", "MIMEE", "TokensE", "BytesE", "CModuleABI"]),
]

let modules: [Target] = [
    module("em000", code: "Loader", links: ["elf", "crypto"]),
    module("em001", code: "Scanner", links: ["crypto", "ffi", "pcre2-8", "z"]),
    module(
        "em003", code: "Archives", links: ["z", "deflate", "archive", "crypto", "brotlidec", "lzma", "bz2", "zstd"]),
    module("em004", code: "Heuristics"),
    module("em005", code: "Antispam"),
].flatMap { $0 }

let libraries: [Target] = [
    library("Platform", ["CLinux"]),
    library("JSON"),
    library("Programs", ["Platform"]),
    library("Configuration", ["Platform"]),
    library("Logging", ["Platform", "Configuration"]),
    library("EventLoop", ["Bytes", "Platform", "CLinux"]),
    library("TLS", ["Bytes", "EventLoop", "Platform", "CTLS"]),
    library("DataModule", ["Bytes", "Platform", "CModuleABI", "CElf", "CCrypto"]),
    library(
        "SignatureCompiler", ["YARA", "Bytes", "DataModule", "CModuleABI", "CCrypto", "CPCRE2", "CFrequencies"]),
    library("CVD", ["Bytes", "CCrypto", "CSignedData", "CZlib"]),
    library("TUF", ["JSON", "CCrypto", "CKeys"]),
    library("TUFStore", ["TUF", "Platform"]),
    library("TUFRepository", ["TUF", "JSON", "Deltas", "Verifier", "Bytes", "Platform", "CCrypto", "CKeys"]),
    library("YARA"),
    library("SpamCompiler", ["Bytes", "Tokens", "DataModule", "Platform", "CModuleABI"]),
    library("Generations", ["Bytes", "Platform", "Verifier", "JSON", "CCrypto"]),
    library("Fetching", ["Platform", "CCurl", "CCrypto"]),
    library("Deltas", ["Bytes", "CCrypto", "CZstd"]),
    library(
        "ModuleHost",
        ["Bytes", "Platform", "Verifier", "Generations", "ScanProtocol", "CModuleABI", "CLinux", "CCrypto"]),
    library(
        "Upstreams",
        [
            "Updates", "Fetching", "Deltas", "TUF", "TUFStore", "CVD", "SignatureCompiler", "Bytes", "Platform",
            "CCrypto",
            "CResolver",
        ]),
    library(
        "Updates",
        [
            "Bytes", "CArchive", "CVD", "JSON", "Platform", "SignatureCompiler", "SpamCompiler", "DataModule",
            "Generations", "Verifier", "CModuleABI", "CCrypto",
        ]),
    library("ScanProtocol", ["Bytes"]),
    library("ScanTransport", ["ScanProtocol", "Platform"]),
    library("ScanClient", ["ScanTransport", "ScanProtocol", "EventLoop", "Bytes", "Platform", "CLinux"]),
    library("ScanService", ["ScanTransport", "ScanProtocol", "Platform", "CLinux"]),
    library(
        "Supervision",
        [
            "ScanProtocol", "Generations", "Configuration", "Logging", "Platform", "JSON", "EventLoop", "CLinux",
            "ScanClient", "ScanTransport",
        ]),
    library("SMTP", ["Bytes"]),
    library("Mail", ["MIME", "Bytes", "Configuration", "ScanProtocol", "CModuleABI"]),
    library("Quarantine", ["Bytes", "Platform", "CCrypto"]),
    library(
        "OnDemand",
        [
            "Mail", "Quarantine", "ScanClient", "ScanProtocol", "Configuration", "Logging", "JSON", "Platform", "Bytes",
            "CLinux",
        ]),
    library(
        "AgentKit", ["ScanClient", "EventLoop", "Configuration", "Logging", "Programs", "Platform", "CLinux"]),
    library(
        "Mirror",
        ["AgentKit", "EventLoop", "Configuration", "Platform", "JSON", "Bytes", "CLinux", "CMicrohttpd", "CZlib"]),
    library("ClamdProtocol", ["Bytes"]),
    library(
        "ClamdAgent",
        [
            "ClamdProtocol", "AgentKit", "Mail", "ScanClient", "ScanProtocol", "EventLoop", "Configuration", "Logging",
            "Platform", "Bytes", "CLinux", "CCrypto",
        ]),
    library(
        "SMTPAgent",
        [
            "AgentKit", "SMTP", "Mail", "Quarantine", "ScanClient", "ScanProtocol", "EventLoop", "TLS",
            "Configuration", "Logging", "Platform", "Bytes", "CLinux",
        ]),
]

let mailNeeds = [
    "Mail", "Quarantine", "ScanClient", "ScanProtocol", "Configuration", "Logging", "Programs", "Platform", "Bytes",
]
let programs: [Target] = [
    program(
        "esets_daemon",
        [
            "Supervision", "ScanService", "ScanClient", "ScanProtocol", "Configuration", "Logging", "Programs",
            "Platform", "JSON", "ModuleHost",
            "Generations", "CLinux",
        ]),
    program("esets_smtp", ["SMTPAgent", "SMTP", "AgentKit"] + mailNeeds),
    program("esets_clamd", ["ClamdAgent", "AgentKit"] + mailNeeds),
    program(
        "esets_mird",
        [
            "Mirror", "AgentKit", "ScanClient", "ScanProtocol", "Configuration", "Logging", "Programs", "Platform",
            "JSON",
        ]),
    program("esets_cli", ["OnDemand"] + mailNeeds),
    program("esets_scan", ["OnDemand", "JSON"] + mailNeeds),
    program("esets_pipe", ["OnDemand"] + mailNeeds),
    program("esets_set", ["Configuration", "Programs", "Platform"]),
    program(
        "esets_update",
        [
            "Updates", "Upstreams", "SignatureCompiler", "DataModule", "Generations", "ScanClient", "ScanProtocol",
            "Configuration", "Logging", "Programs", "Platform", "JSON", "Bytes",
        ]),
    program("esets_demo", ["SMTP", "EventLoop", "Programs", "Platform", "Bytes"]),
    program("tuf_client", ["TUF", "TUFStore", "Fetching", "Programs", "Platform"]),
    program("esets_publish", ["TUFRepository", "TUF", "JSON", "Programs", "Platform"]),
    program(
        "esets_bench",
        [
            "ModuleHost", "Generations", "DataModule", "SignatureCompiler", "ScanProtocol", "Configuration", "Programs",
            "Platform", "JSON", "Bytes",
            "CModuleABI",
        ]),
    program(
        "esets_mod",
        [
            "Verifier", "DataModule", "Generations", "ModuleHost", "Configuration", "Programs", "Platform", "JSON",
            "Bytes", "CCrypto",
        ]),
]

let esetsLibrary: [Target] = [
    shim("CEsets"),
    .target(
        name: "EsetsLibrary", dependencies: ["CEsets", "ScanClient", "ScanProtocol", "Platform", "Bytes"],
        path: "Sources/EsetsLibrary", swiftSettings: hostSettings, linkerSettings: programLinking),
]

let testTargets: [Target] = [
    tests("Bytes", ["Bytes"]),
    tests("MIME", ["FuzzCorpus", "MIME", "Bytes"]),
    tests(
        "ModuleHost",
        ["FuzzCorpus", "ModuleHost", "Verifier", "DataModule", "Bytes", "Platform", "CModuleABI", "CElf", "CCrypto"]),
    tests("Verifier", ["Verifier", "DataModule", "Bytes", "Platform", "CModuleABI", "CCrypto"]),
    tests("Platform", ["Platform"]),
    tests("JSON", ["FuzzCorpus", "JSON"]),
    tests("Programs", ["Programs"]),
    tests("Configuration", ["FuzzCorpus", "Configuration", "Platform", "esets_set"]),
    tests("Logging", ["Logging", "Configuration", "Platform"]),
    tests("EventLoop", ["EventLoop", "Bytes", "Platform", "CLinux"]),
    tests("TLS", ["TLS", "EventLoop", "Bytes", "Platform", "CLinux"]),
    tests("SMTP", ["FuzzCorpus", "SMTP", "Bytes"]),
    tests("Mail", ["FuzzCorpus", "Mail", "MIME", "Configuration", "ScanProtocol", "Bytes"]),
    tests(
        "OnDemand",
        [
            "OnDemand", "Mail", "Quarantine", "ScanClient", "ScanProtocol", "Configuration", "Logging", "JSON",
            "Platform", "Bytes",
        ]),
    tests("Quarantine", ["Quarantine", "Bytes", "Platform"]),
    tests("DataModule", ["DataModule", "Bytes", "Platform", "CModuleABI", "CElf"]),
    tests(
        "SignatureCompiler",
        ["SignatureCompiler", "DataModule", "Bytes", "Platform", "CModuleABI", "CCrypto", "CPCRE2"]),
    tests(
        "CVD", ["FuzzCorpus", "CVD", "Bytes", "CCrypto"],
        exclude: ["Fixtures", "make-fixtures.py", "make-changes.py", "containers.py"]),
    tests("TUF", ["FuzzCorpus", "TUF", "TUFStore", "JSON", "Platform", "CKeys"]),
    tests("TUFRepository", ["TUFRepository", "TUF", "JSON", "Platform"]),
    tests("YARA", ["YARA"]),
    tests("Tokens", ["FuzzCorpus", "Tokens", "Bytes"]),
    tests("SpamCompiler", ["SpamCompiler", "Tokens", "MIME", "DataModule", "Bytes", "Platform", "CModuleABI"]),
    tests(
        "Updates",
        ["Updates", "SignatureCompiler", "Generations", "DataModule", "JSON", "Bytes", "Platform", "CCrypto"]),
    tests("Fetching", ["WebServer", "Fetching", "Platform"]),
    tests(
        "Upstreams",
        [
            "WebServer", "Upstreams", "Updates", "TUFRepository", "TUF", "Fetching", "CVD", "Deltas", "JSON",
            "Platform",
            "CCrypto",
        ]),
    tests("Deltas", ["Deltas", "Bytes"]),
    tests("Generations", ["FuzzCorpus", "Generations", "Verifier", "DataModule", "Bytes", "Platform", "CCrypto"]),
    tests("ScanProtocol", ["FuzzCorpus", "ScanProtocol", "Bytes"]),
    tests("ScanClient", ["ScanClient", "ScanTransport", "ScanProtocol", "EventLoop", "Bytes", "Platform"]),
    // A web server whose answers a test writes.
    .target(name: "WebServer", dependencies: ["Platform"], path: "Tests/WebServer", swiftSettings: strict),
    // The files that fuzzers begin with, for the tests that run them once more.
    .target(name: "FuzzCorpus", path: "Tests/FuzzCorpus", swiftSettings: strict),
    // The plainest matcher, which tests and fuzzers compare the engine with.
    .target(name: "MatchingOracle", path: "Tests/MatchingOracle", swiftSettings: strict),
    // An engine without modules, and a program that scans with it: for tests of the processes around the engine.
    .target(
        name: "FakeEngine", dependencies: ["ScanService", "ScanProtocol", "Platform"], path: "Tests/FakeEngine",
        swiftSettings: strict),
    .executableTarget(
        name: "esets_daemon_fixture",
        dependencies: ["FakeEngine", "Supervision", "ScanService", "ScanProtocol", "Platform", "CLinux"],
        path: "Tests/DaemonFixture", swiftSettings: strict),
    tests(
        "ScanService",
        ["FakeEngine", "ScanService", "ScanClient", "ScanTransport", "ScanProtocol", "Bytes", "Platform"]),
    tests(
        "Supervision",
        [
            "esets_daemon_fixture", "EsetsLibrary", "CEsets", "EventLoop", "Generations", "Supervision", "ScanClient",
            "ScanTransport", "ScanProtocol", "Configuration", "Logging", "Platform",
        ]),
    tests("AgentKit", ["AgentKit", "EventLoop", "Platform"]),
    tests(
        "Mirror",
        ["FuzzCorpus", "Mirror", "AgentKit", "EventLoop", "Configuration", "JSON", "Platform", "Bytes", "CLinux"]),
    tests("ClamdProtocol", ["FuzzCorpus", "ClamdProtocol", "Bytes"]),
    tests(
        "ClamdAgent",
        [
            "ClamdAgent", "ClamdProtocol", "AgentKit", "ScanProtocol", "ScanClient", "EventLoop", "Configuration",
            "Platform", "Bytes", "CLinux",
        ]),
    tests(
        "SMTPAgent",
        [
            "AgentKit", "SMTPAgent", "SMTP", "Mail", "ScanProtocol", "EventLoop", "TLS", "Configuration", "Platform",
            "Bytes",
            "CLinux",
        ]),
]
/// Tests of module code: only where it is regular Swift.
let moduleTests: [Target] =
    hosted
    ? [
        tests(
            "Matching",
            [
                "FuzzCorpus", "Matching", "DatabaseSections", "MatchingOracle", "Regex", "Lending", "SignatureCompiler",
                "DataModule",
                "BytesE", "Bytes", "CModuleABI",
                "Platform", "CSearch", "CDigests", "CCrypto",
            ]),
        tests(
            "YARAEngine",
            ["YARAEngine", "Matching", "SignatureCompiler", "DataModule", "BytesE", "Bytes", "CModuleABI", "Platform"],
            exclude: ["Rules"]),
        // Says which rules match which files: see tools/agree-yara.
        .executableTarget(
            name: "yara_evaluation",
            dependencies: [
                "YARAEngine", "Matching", "SignatureCompiler", "DataModule", "BytesE", "Bytes", "CModuleABI",
            ],
            path: "Tests/YARAEvaluation", swiftSettings: strict),
        tests("Executables", ["FuzzCorpus", "Executables", "BytesE", "CModuleABI"]),
        tests("Archives", ["Archives", "BytesE", "CModuleABI"], exclude: ["Samples", "Streams"]),
        tests("Normalization", ["FuzzCorpus", "Normalization", "BytesE"]),
        tests("Images", ["Images", "BytesE"], exclude: ["Samples"]),
        tests("Loader", ["FuzzCorpus", "Loader", "DataModule", "BytesE", "Bytes", "Platform", "CModuleABI"]),
        tests(
            "Heuristics", ["FuzzCorpus", "Heuristics", "CompoundFiles", "BytesE", "Bytes", "CModuleABI", "Platform"]),
        tests(
            "Antispam",
            ["FuzzCorpus", "Antispam", "SpamCompiler", "DataModule", "TokensE", "BytesE", "CModuleABI", "Platform"]),
        tests(
            "MailCleaning",
            [
                "Scanner", "Archives", "ModuleKit", "ModuleHost", "Mail", "MIME", "Configuration", "ScanProtocol",
                "BytesE", "Bytes",
                "CModuleABI", "Platform",
            ]),
        tests(
            "Scanner",
            [
                "Scanner", "Archives", "DatabaseSections", "SignatureCompiler", "DataModule", "ModuleKit", "ModuleHost",
                "ScanProtocol", "BytesE", "Bytes", "CModuleABI", "Platform",
            ]),
    ] : []

/// Fuzzers: `tools/fuzz NAME`. They run module code too, so they need it as regular Swift.
func fuzzer(_ name: String, _ needs: [String]) -> Target {
    .executableTarget(
        name: "fuzz_\(name)", dependencies: ["CFuzz"] + needs.map { .init(stringLiteral: $0) }, path: "Fuzz/\(name)",
        swiftSettings: strict)
}
let fuzzers: [Target] =
    fuzzing && hosted
    ? [
        .target(name: "CFuzz", path: "Fuzz/CFuzz", cSettings: warningsAreErrors),
        fuzzer("mime", ["MIME", "Bytes"]),
        fuzzer("archive", ["Archives", "BytesE"]),
        fuzzer("extractor", ["Archives", "BytesE"]),
        fuzzer("smtp", ["SMTP", "Bytes"]),
        fuzzer("cfg", ["Configuration"]),
        fuzzer("clamd", ["ClamdProtocol", "Bytes"]),
        fuzzer("scanprotocol", ["ScanProtocol"]),
        fuzzer("loader", ["ModuleHost", "Bytes"]),
        fuzzer("database", ["Matching", "BytesE"]),
        fuzzer("matcher", ["MatchingOracle", "Matching", "SignatureCompiler", "DataModule", "BytesE", "Bytes"]),
        fuzzer("signatures", ["Matching", "SignatureCompiler", "DataModule", "BytesE", "Bytes"]),
        fuzzer("yara", ["YARAEngine", "SignatureCompiler", "DataModule", "BytesE", "Bytes"]),
        fuzzer("rewrite", ["Mail", "Bytes"]),
        fuzzer("heuristics", ["Heuristics", "BytesE"]),
        fuzzer("executables", ["Executables", "BytesE"]),
        fuzzer("tokens", ["Tokens", "Bytes"]),
        fuzzer("antispam", ["Antispam", "BytesE"]),
        fuzzer("plan", ["Loader", "BytesE"]),
        fuzzer("manifest", ["Generations"]),
        fuzzer("json", ["JSON"]),
        fuzzer("cvd", ["CVD", "Bytes"]),
        fuzzer("tuf", ["TUF"]),
        fuzzer("changes", ["CVD", "Bytes"]),
        fuzzer("delta", ["Deltas", "Bytes"]),
        fuzzer("normalization", ["Normalization", "BytesE"]),
        fuzzer("images", ["Images", "BytesE"]),
        fuzzer("mirror", ["Mirror", "Bytes"]),
    ] : []

// MARK: - A part of the house

/// Keeps the named targets and what they need, for quick work on one concept:
/// `ESETS_ONLY="SMTPTests" swift test`.
func only(_ all: [Target]) -> [Target] {
    guard let names = Context.environment["ESETS_ONLY"] else { return all }
    let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
    var wanted = names.split(separator: " ").map(String.init)
    var kept: Set<String> = []
    while let name = wanted.popLast() {
        guard kept.insert(name).inserted, let target = byName[name] else { continue }
        for case .byNameItem(let need, _) in target.dependencies { wanted.append(need) }
    }
    return all.filter { kept.contains($0.name) }
}

let targets = only(
    shims + sharedLibraries + moduleCode + modules + libraries + programs + esetsLibrary + testTargets + moduleTests
        + fuzzers)
let targetNames = Set(targets.map(\.name))

let package = Package(
    name: "esets",
    products: [
        .library(name: "em000", type: .dynamic, targets: ["em000"]),
        .library(name: "em001", type: .dynamic, targets: ["em001"]),
        .library(name: "em003", type: .dynamic, targets: ["em003"]),
        .library(name: "em004", type: .dynamic, targets: ["em004"]),
        .library(name: "em005", type: .dynamic, targets: ["em005"]),
        .library(name: "esets", type: .dynamic, targets: ["EsetsLibrary"]),
    ].filter { $0.name == "esets" ? targetNames.contains("EsetsLibrary") : targetNames.contains($0.name) },
    targets: targets
)
