import Glibc
package import Platform
package import TUF

/// A directory with the metadata that a client trusts: one file for each role, without versions in their names.
package struct MetadataStore: Sendable {
    package let directory: String

    package init(directory: String) {
        self.directory = directory
    }

    /// What is there; a file that cannot be read or is too long is passed over, except for the root.
    package func load(limits: TUFLimits = TUFLimits()) throws(SystemError) -> TrustedMetadata {
        var files: [String: [UInt8]] = [:]
        var total = 0
        for name in try Files.names(in: directory) where name.hasSuffix(".json") && !name.hasPrefix(".") {
            do throws(SystemError) {
                let bytes = try Files.read("\(directory)/\(name)", limit: limits.targets + 1)
                guard bytes.count <= limits.targets else { continue }
                total += bytes.count
                if name == "root.json" || total <= limits.delegated { files[name] = bytes }
            } catch {
                if name == "root.json" { throw error }
            }
        }
        return TrustedMetadata(files: files)
    }

    /// Carries out changes in their order, each one whole: after a power failure the directory is as some step left it.
    package func apply(_ changes: [Kept]) throws(SystemError) {
        for change in changes {
            switch change {
            case .write(let name, let bytes): try Files.replace("\(directory)/\(name)", with: bytes)
            case .remove(let name):
                try Files.remove("\(directory)/\(name)")
                try Files.synchronizeDirectory(directory)
            }
        }
    }

    /// Begins with a root that came on a trusted way, e.g. with an installation. What was trusted before is forgotten.
    package func begin(root: [UInt8]) throws(SystemError) {
        try Files.makeDirectory(directory)
        for name in try Files.names(in: directory) where name.hasSuffix(".json") {
            try Files.remove("\(directory)/\(name)")
        }
        try Files.replace("\(directory)/root.json", with: root)
    }
}
