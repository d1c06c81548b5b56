import BytesE
import MIMEE
import TokensE

/// The address outside that handed a message over: the client, or, when that is one of our own (private, or in
/// as_ignored_ip_list), the first other one that the Received fields name, newest first.
func outsideRelay(_ settings: Settings, _ content: MessageContent) -> NetworkAddress? {
    func isOurs(_ address: NetworkAddress) -> Bool { address.isLocal || settings.ignoredAddresses.contains(address) }
    if let client = settings.client, !isOurs(client) { return client }
    // Without any knowledge of the client, anybody could have written the fields.
    guard settings.client != nil else { return nil }
    var seen = 0
    for field in content.fields where field.isNamed("received", in: content.message) {
        seen += 1
        guard seen <= 32 else { return nil }
        guard let address = bracketed(field.value(in: content.message)) else { continue }
        if !isOurs(address) { return address }
    }
    return nil
}

/// The first address in brackets of a Received field: "from x (y [192.0.2.1]) by …".
private func bracketed(_ value: ByteView) -> NetworkAddress? {
    let value = value.prefix(2048)
    var from = 0
    while let open = value.firstIndex(of: 0x5b, from: from), let close = value.firstIndex(of: 0x5d, from: open) {
        if let address = NetworkAddress(value.slice(open + 1, close)) { return address }
        from = close + 1
    }
    return nil
}
