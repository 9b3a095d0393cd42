"""Request and response bodies about the policy of delivery, templates, mailboxes and telephony."""
