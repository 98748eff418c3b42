"""Commands under the names they had before `thingsviz.commands`."""
