/// What a target is for, as its member "kind" under "custom" says: `{"kind": "signatures"}`.
///
/// Each kind has a folder, and code comes from the top-level role alone: a delegation, whatever it says and whoever
/// holds its keys, can never bring a module.
package enum TargetKind: String, Sendable, CaseIterable {
    /// A code module, em00X_64.dat. (It also carries its publisher's own signature.)
    case module
    /// Virus signatures: what em002 is compiled from.
    case signatures
    /// Rules, tokens, messages: what em006 is compiled from.
    case antispam
    /// A Windows program component update, which is stored and served only.
    case pcu
    /// What makes a newer file of an older one. It has no authority: its result is checked as the target that it makes.
    case delta

    /// Where targets of this kind are.
    package var folder: String {
        switch self {
        case .module: "modules/"
        case .signatures: "signatures/"
        case .antispam: "antispam/"
        case .pcu: "pcu/"
        case .delta: "deltas/"
        }
    }

    /// What a delegated role may bring when its delegation does not say.
    package static let delegated: Set<TargetKind> = [.signatures, .antispam, .delta]

    /// What a delegation may allow at all.
    package static let delegable: Set<TargetKind> = [.signatures, .antispam, .pcu, .delta]

    /// What is left after one more delegation; nil means the top-level role.
    static func allowed(_ outer: Set<TargetKind>?, by kinds: [String]?) -> Set<TargetKind> {
        let own = kinds.map { Set($0.compactMap { TargetKind(rawValue: $0) }).intersection(delegable) } ?? delegated
        return outer.map { $0.intersection(own) } ?? own
    }
}
