import CModuleABI

/// What a data module says about itself: the manifest note of em_module.h.
package struct DataManifest: Sendable {
    /// Unique id, e.g. "em002.signatures".
    package var id: String
    /// Which file of a generation it is, e.g. "em002".
    package var file: String
    /// Version of the content, e.g. "2026112101".
    package var version: String
    /// For people, one line.
    package var description: String
    /// Capabilities that its content needs, e.g. "em.regex/1".
    package var needs: [String]

    package init(id: String, file: String, version: String, description: String, needs: [String] = []) {
        self.id = id
        self.file = file
        self.version = version
        self.description = description
        self.needs = needs
    }

    /// `key=value` lines.
    ///
    /// - Throws: when a value has a line break, which would begin another key.
    func text() throws(DataModuleError) -> [UInt8] {
        var lines = [
            ("id", id), ("file", file), ("version", version), ("kind", "data"),
            ("abi", "\(EM_ABI_MAJOR).\(EM_ABI_MINOR)"),
        ]
        if !needs.isEmpty { lines.append(("needs", needs.joined(separator: " "))) }
        lines.append(("description", description))
        var bytes: [UInt8] = []
        for (key, value) in lines {
            guard !value.utf8.contains(where: { $0 < 0x20 }) else {
                throw DataModuleError("the manifest's \(key) has a control character")
            }
            bytes += Array("\(key)=\(value)\n".utf8)
        }
        return bytes
    }
}
