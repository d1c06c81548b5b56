package import BytesE

/// The hash of a picture, read with so much memory in bytes and so many steps; nil when there is none, or these do not
/// suffice. For the fuzzer and for tests.
package func imageHash(of bytes: ByteView, memory: Int, steps: Int) -> UInt64? {
    var places: [UnsafeMutableRawPointer] = []
    defer { for place in places { place.deallocate() } }
    var (left, steps) = (memory, steps)
    let budget = ImageBudget(
        allocate: { size in
            guard size <= left else { return nil }
            left -= size
            let place = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
            place.initializeMemory(as: UInt8.self, repeating: 0, count: size)
            places.append(place)
            return place
        },
        mayGoOn: {
            steps -= 1
            return steps >= 0
        })
    return imageHash(of: bytes, budget)
}

/// For the fuzzer: reads any bytes as a picture, with little memory.
package func fuzzImages(_ bytes: ByteView) {
    _ = imageHash(of: bytes, memory: 8 << 20, steps: 100_000)
}
