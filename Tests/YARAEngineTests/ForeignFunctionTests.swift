import Bytes
import BytesE
import CModuleABI
import Glibc
import Matching
import Testing
import YARAEngine

/// The example module with functions for rules, built and called through libffi.
@Suite struct ForeignFunctionTests {
    /// Builds modules/examples/c-function and opens it.
    private func table() throws -> (UnsafePointer<em_function_v1>, UnsafeMutableRawPointer) {
        let root = RuleFileTests.folder + "../../.."
        let object = "/tmp/esets-function-\(getpid()).so"
        let source = "\(root)/modules/examples/c-function"
        let command =
            "cc -std=c11 -Wall -Wextra -Werror -O2 -fPIC -shared -I '\(root)/Sources/CModuleABI/include' "
            + "-Wl,-z,now,-z,defs,--version-script='\(source)/module.map' -o '\(object)' '\(source)/function.c'"
        try #require(system(command) == 0)
        defer { unlink(object) }
        let handle = try #require(dlopen(object, RTLD_NOW | RTLD_LOCAL))
        let entry = try #require(dlsym(handle, "em_module_entry"))
        let module = try #require(
            unsafeBitCast(entry, to: (@convention(c) () -> UnsafePointer<em_module>?).self)())
        let interface = try #require(module.pointee.interface(nil, "em.function/1"))
        return (interface.assumingMemoryBound(to: em_function_v1.self), handle)
    }

    @Test func rulesCallFunctionsOfOtherModules() throws {
        let (table, handle) = try table()
        defer { dlclose(handle) }
        let text = """
            import "acme"
            rule lines { condition: acme.lines() == 2 }
            rule share { condition: acme.share("b", 6.0) == 2.0 and acme.share("b", 6) == 2 }
            rule kind { condition: acme.kind() == "text" and acme.kind() startswith "te" }
            rule undefined { condition: not defined acme.share("", 1.0) }
            rule unknown { condition: not defined acme.nothing(1) and not defined acme.lines(1) }
            """
        let rules = try TestRules(Array(text.utf8)) { path, parameters in
            for index in 0..<Int(table.pointee.count) {
                guard let entry = table.pointee.functions?[index],
                    String(cString: entry.name) == String(decoding: path.array, as: UTF8.self),
                    let function = ForeignFunction(entry, instance: nil), function.takes(parameters)
                else { continue }
                return function
            }
            return nil
        }
        #expect(
            rules.matches(Array("ab\nab\n".utf8)).sorted() == ["kind", "lines", "share", "undefined", "unknown"])
        #expect(rules.matches(Array("a\0".utf8)).sorted() == ["undefined", "unknown"])
    }
}
