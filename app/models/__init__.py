"""Plain data behind the views: Qt models, pictures, what a key means."""
