// SMTPAgent
