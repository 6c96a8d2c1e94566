"""Views, and the gather kernel that fills them."""
