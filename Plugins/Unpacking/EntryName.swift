package import BytesE
package import MIMEE

/// The name of an archive's entry as UTF-8. Without a mark, bytes that are valid UTF-8 are taken for that, because
/// many programs forget the mark.
package func entryName(_ raw: ByteView, isUTF8: Bool, otherwise charset: Charset) -> [UInt8] {
    let bytes = raw.prefix(1024)
    let asUTF8 = Charset.utf8.decode(bytes)
    // The lenient decoder changes what is not valid.
    let isValid = asUTF8.withUnsafeBufferPointer { ByteView($0).equals(bytes) }
    return isUTF8 || isValid ? asUTF8 : charset.decode(bytes)
}
