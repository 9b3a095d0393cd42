"""Inquiries, baskets, orders and positions, suppliers and purchase orders, shipments, claims."""
