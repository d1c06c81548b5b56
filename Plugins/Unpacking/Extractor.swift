package import CModuleABI
package import ModuleKit

/// One container format: how it is told from others, and how it is opened.
///
/// Each lives in a file of its own and is listed by its family (`archiveExtractors`, `mailExtractors` …); a family
/// is a function that calls its argument for each, so that loading the module allocates nothing.
package struct Extractor {
    /// What reports and `esets_mod show em003` call the format, e.g. "ZIP".
    package let name: StaticString
    /// The option of a scan that switches it off.
    package let option: StaticString
    /// For extractors that share code: which of them this is.
    package let variant: UInt32
    /// Says how the object looks to it; nil when it is something else. Called for every object: it looks at few bytes,
    /// and captures nothing, so that making an extractor allocates nothing.
    package let identify: (_ candidate: Candidate) -> Claim?
    /// Opens an object that it has claimed; gets the extractor.
    package let open: Opening

    package typealias Opening = (
        _ scan: ScanContext, _ object: UnsafePointer<em_object>, _ extractor: Extractor
    ) throws(ModuleError) -> Unpacker

    package init(
        _ name: StaticString, option: StaticString = "av_scan_obj_archives", variant: UInt32 = 0,
        identify: @escaping (_ candidate: Candidate) -> Claim?, open: @escaping Opening
    ) {
        self.name = name
        self.option = option
        self.variant = variant
        self.identify = identify
        self.open = open
    }
}

/// That an object has a format.
package struct Claim {
    /// How the format lies in the object.
    package enum Place {
        /// The object is of the format from its first byte. Several may be so: all are opened.
        case whole
        /// Something of the format begins further inside; of no interest when the object is something whole.
        case inside
        /// Files in the object that are shown or used beside whatever else it is.
        case beside
    }
    package let place: Place
    /// 0…100.
    package let sureness: UInt32
    /// `EM_TYPE_…` that the object then has; EM_TYPE_UNKNOWN leaves what it has.
    package let type: UInt32

    package init(_ place: Place, sureness: UInt32, type: UInt32) {
        self.place = place
        self.sureness = sureness
        self.type = type
    }

    /// The first bytes are the format's own.
    package static func magic(_ type: UInt32) -> Claim { Claim(.whole, sureness: 100, type: type) }
}
