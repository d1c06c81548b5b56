/// Options that no configuration has, because a client sets them for a single object.
extension ScanOptions {
    /// `all_matches`: the scanner reports every signature that matches an object, not only the first one.
    package var reportsAllMatches: Bool {
        get { numbers["all_matches"] == 1 }
        set { numbers["all_matches"] = newValue ? 1 : nil }
    }

    /// `foreign_object`: the descriptor leads to a file that somebody else may cut while it is read. The scanning process
    /// copies it, even when an agent that it trusts sent it: a mapping would end the process.
    package var isForeign: Bool {
        get { numbers["foreign_object"] == 1 }
        set { numbers["foreign_object"] = newValue ? 1 : nil }
    }
}
