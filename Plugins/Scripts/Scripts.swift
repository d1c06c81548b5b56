import BytesE
import CModuleABI
import ModuleKit
package import Unpacking

/// Calls `body` for each encoding in which scripts hide scripts.
package func scriptExtractors(_ body: (Extractor) -> Void) {
    body(EncodedScriptUnpacker.extractor)
    body(CommandUnpacker.extractor)
}

/// Whether an object is a script by what it is said to be or called, or by its first word.
func isScript(_ candidate: Candidate) -> Bool {
    if candidate.object.type == EM_TYPE_SCRIPT { return true }
    for ending: StaticString in [
        ".ps1", ".psm1", ".bat", ".cmd", ".vbs", ".vbe", ".js", ".jse", ".wsf", ".wsc", ".hta", ".sct", ".bas", ".asp",
    ] where candidate.name.hasSuffixIgnoringCase(ByteView(ending)) {
        return true
    }
    let head = candidate.data.prefix(64)
    for word: StaticString in ["powershell", "@echo", "cmd", "%comspec%", "$", "iex", "#@~^"]
    where head.hasPrefixIgnoringCase(ByteView(word)) {
        return true
    }
    return false
}

/// Whether bytes may be a page: a tag may begin soon behind a byte order mark and spaces.
func mayBePage(_ data: ByteView) -> Bool {
    var index = data.hasPrefix(ByteView("\u{FEFF}")) ? 3 : 0
    let end = min(data.count, 4096)
    while index < end, isASCIISpace(data[index]) { index += 1 }
    return data.slice(index, index + 16).firstIndex(of: 0x3c) != nil
}
