/// File types as conditions of rules name them: the FNV-1a hash of ClamAV's name.
package enum FileType {
    package static func code(_ name: StaticString) -> UInt32 {
        var hash: UInt32 = 0x811c_9dc5
        for i in 0..<name.utf8CodeUnitCount { hash = (hash ^ UInt32(name.utf8Start[i])) &* 0x0100_0193 }
        return hash
    }
}
