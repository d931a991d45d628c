"""Tests of travel times: servers, an embedded graph, what happens when a server is not to be trusted."""
