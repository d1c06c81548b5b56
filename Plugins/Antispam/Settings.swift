import BytesE
import ModuleKit
import TokensE

/// The as_… parameters of one scan, and what the mail server told about the message.
struct Settings {
    var envelope = Envelope()
    var client: NetworkAddress?
    var approvedAddresses: AddressList
    var blockedAddresses: AddressList
    var ignoredAddresses: AddressList
    var approvedDomains: DomainList
    var blockedDomains: DomainList
    var ignoredDomains: DomainList
    var addressLists: [DNSList]
    var domainLists: [DNSList]
    /// Bytes; larger messages are not looked at. 0 = no limit.
    var largest: Int64
    /// Addresses and domains that are asked about, each.
    var mostQuestions: Int

    init(_ scan: ScanContext) {
        envelope.sender = MailAddress.envelope(scan.text("mail.sender"))
        envelope.helo = scan.text("mail.helo").trimmed.prefix(1024).array
        envelope.client = scan.text("mail.client").trimmed.prefix(64).array
        client = envelope.client.withView { NetworkAddress($0) }
        approvedAddresses = AddressList(scan.text("as_approved_ip_list"))
        blockedAddresses = AddressList(scan.text("as_blocked_ip_list"))
        ignoredAddresses = AddressList(scan.text("as_ignored_ip_list"))
        approvedDomains = DomainList(scan.text("as_approved_domain_list"))
        blockedDomains = DomainList(scan.text("as_blocked_domain_list"))
        ignoredDomains = DomainList(scan.text("as_ignored_domain_list"))
        addressLists = DNSList.list(scan.text("as_rbl_service"))
        domainLists = DNSList.list(scan.text("as_dnsbl_service"))
        largest = scan.number("as_message_scan_size", otherwise: 0)
        mostQuestions = Int(clamping: max(0, min(32, scan.number("as_rbl_max_ips", otherwise: 10))))
    }
}
