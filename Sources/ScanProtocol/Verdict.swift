/// What one scan of one object (a message, a file) found. The result that agents see.
package struct ScanVerdict: Sendable, Equatable {
    /// Everything reported, in the order of the object tree.
    package var findings: [Finding] = []
    /// The objects that a finding names, and their ancestors, root first.
    package var objects: [ObjectInfo] = []
    /// How many objects were looked at, the root included.
    package var objectCount: UInt32 = 1
    /// Sum of the spam points, or nil when the antispam engine did not run.
    package var spamScore: Double?
    /// Version of the signature database that was used, for headers and logs; 0 = none.
    package var databaseVersion: UInt64 = 0
    /// Generation of modules that scanned it.
    package var generation: UInt64 = 0
    /// Nanoseconds of wall-clock time in the scanning process, without suspension.
    package var duration: UInt64 = 0

    package init() {}

    /// The findings that make the object infected: signatures, and heuristics of 100 points and above.
    package var threats: [Finding] { findings.filter(\.isThreat) }

    /// Whether anything makes it infected.
    package var isInfected: Bool { findings.contains(where: \.isThreat) }

    /// Why something was not scanned; empty when everything was.
    package var notScanned: [Finding] { findings.filter { $0.kind == .notScanned } }
}

/// One fact that a module reported (`em_finding` of em_module.h).
package struct Finding: Sendable, Equatable {
    /// Kind of finding; the raw values are those of the module ABI.
    package enum Kind: UInt32, Sendable {
        case infected = 1, heuristic, unwanted, unsafe, spam, notScanned, note
    }
    package var kind: Kind
    /// Threat, rule or reason. Printable text, made safe by the scanning process.
    package var name: String
    /// Database or rule set it came from.
    package var source: String
    /// The object's id in `ScanVerdict.objects`; 1 is the root.
    package var object: UInt64
    /// Where in the object's data, in bytes, if known.
    package var offset: UInt64?
    /// Spam points, or 0…100 for heuristics.
    package var score: Double

    package init(
        kind: Kind, name: String, source: String = "", object: UInt64 = 1, offset: UInt64? = nil, score: Double = 0
    ) {
        self.kind = kind
        self.name = name
        self.source = source
        self.object = object
        self.offset = offset
        self.score = score
    }

    /// Name of a threat of the root object that stands for all those above what a verdict can list.
    package static let multipleThreats = "multiple threats"

    /// Whether it makes its object infected. Unwanted and unsafe applications are only reported by
    /// the engine when the options ask for them, so they count.
    package var isThreat: Bool {
        switch kind {
        case .infected, .unwanted, .unsafe: true
        case .heuristic: score >= 100
        case .spam, .notScanned, .note: false
        }
    }
}

/// One node of the object tree (`em_object` of em_module.h).
package struct ObjectInfo: Sendable, Equatable {
    package var id: UInt64
    /// 0 for the root.
    package var parent: UInt64
    /// File name as the container tells it; empty if it has none. Printable.
    package var name: String
    /// How it lies in its parent: "MIME", "ZIP" …
    package var format: String
    /// `EM_TYPE_…`
    package var type: UInt32
    /// `EM_OBJECT_…`
    package var flags: UInt32
    /// Range in the *root's* bytes of the smallest part that holds this object: for an object inside an
    /// encoded attachment that is the body of the attachment as it stands in the message. What cleaning
    /// removes. nil when the object is the root itself.
    package var rootRange: Range<UInt64>?
    /// Size of its data in bytes.
    package var size: UInt64

    package init(
        id: UInt64, parent: UInt64, name: String = "", format: String = "", type: UInt32 = 0, flags: UInt32 = 0,
        rootRange: Range<UInt64>? = nil, size: UInt64 = 0
    ) {
        self.id = id
        self.parent = parent
        self.name = name
        self.format = format
        self.type = type
        self.flags = flags
        self.rootRange = rootRange
        self.size = size
    }
}
