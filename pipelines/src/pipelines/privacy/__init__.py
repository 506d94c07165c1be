"""Personal data: masked on its way to silver, erased at its subject's request, searched for in every file."""
