import Glibc
import Platform
import Testing

@testable import Configuration

func file(_ text: String) -> ConfigurationFile { ConfigurationFile(parsing: Array(text.utf8)) }

/// Checks esets.cfg with user files that are given by their path below ETCDIR.
func configuration(
    _ text: String, users: [String: String] = [:], paths: Paths = Paths()
) throws(ConfigurationError) -> Configuration {
    try Configuration(main: file(text), path: "esets.cfg", paths: paths) { path in
        let name = String(path.dropFirst((paths.configurationDirectory + "/").count))
        guard let text = users[name] else { return .failure(ConfigurationFileProblem("No such file")) }
        return .success(file(text))
    }
}

/// The messages of all errors.
func errors(_ text: String, users: [String: String] = [:]) -> [String] {
    do throws(ConfigurationError) {
        _ = try configuration(text, users: users)
        return []
    } catch {
        return error.errors.map(\.description)
    }
}

/// A root directory with an ETCDIR, removed with the last reference.
final class Scratch {
    let paths: Paths

    init(_ text: String = "") throws {
        var template = Array("/tmp/esets-configuration-XXXXXX".utf8CString)
        let root: String = try #require(mkdtemp(&template).map { String(cString: $0) })
        paths = Paths(root: root)
        try Files.makeDirectory(paths.configurationDirectory)
        try write(text, to: "esets.cfg")
    }

    deinit { try? Files.remove(paths.root) }

    func path(_ name: String) -> String { paths.configurationDirectory + "/" + name }

    func write(_ text: String, to name: String) throws {
        try Files.replace(path(name), with: Array(text.utf8), mode: 0o640)
    }

    func text(_ name: String = "esets.cfg") throws -> String { try Files.text(path(name)) }
}
