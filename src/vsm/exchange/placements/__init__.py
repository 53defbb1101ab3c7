"""Work experience at a company or organisation abroad, online: from the vetting of the host to the certificate."""
