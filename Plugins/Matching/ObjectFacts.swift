/// What rules ask about an object besides its bytes.
package struct ObjectFacts {
    /// File types of the containers that the object lies in, the nearest one first: `FileType.code` of their names.
    package var containers: [UInt32] = []

    package init() {}
}

/// File types as conditions of rules name them: the FNV-1a hash of ClamAV's name.
package enum FileType {
    package static func code(_ name: StaticString) -> UInt32 {
        var hash: UInt32 = 0x811c_9dc5
        for i in 0..<name.utf8CodeUnitCount { hash = (hash ^ UInt32(name.utf8Start[i])) &* 0x0100_0193 }
        return hash
    }
}
